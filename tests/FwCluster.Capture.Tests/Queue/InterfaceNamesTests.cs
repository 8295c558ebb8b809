using System.Diagnostics;
using System.Globalization;
using FwCluster.Capture.Queue;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Tests.Queue;

/// <summary>Names follow what happens to interfaces.</summary>
public sealed class InterfaceNamesTests
{
    [KernelFact]
    public void Names_follow_interfaces_that_come_go_and_are_renamed()
    {
        using var lab = new NetworkLab();
        var host = lab.AddNamespace("h");
        host.Ip("link add first type veth peer name peer1");
        using var names = host.Run(InterfaceNames.Open);
        var first = Index(host, "first");
        Assert.Equal("lo", names[1].ToString());
        Assert.Equal("first", names[first].ToString());
        Assert.True(names[0].IsEmpty);
        Assert.True(names[4711].IsEmpty);
        Assert.Equal(Mac(host, "first"), MacOf(names, first));
        Assert.Null(MacOf(names, 1)); // lo has six zeros, and is not Ethernet

        host.Ip("link set first name renamed");
        Await(() => names[first] == InterfaceName.From("renamed"));
        host.Ip("link set renamed address 02:00:00:00:47:11");
        Await(() => MacOf(names, first) == 0x0200_0000_4711);

        host.Ip("link add second type veth peer name peer2");
        var second = Index(host, "second");
        // Known at once, announced or not.
        Assert.Equal("second", names[second].ToString());
        Await(() => names.Count == 5);

        host.Ip("link del second");
        Await(() => names[second].IsEmpty);
        Assert.Equal(3, names.Count);

        // A bridge's port that leaves the bridge is announced as deleted, to those who know of bridges only.
        host.Ip("link add br0 type bridge");
        host.Ip("link set renamed master br0");
        host.Ip("link set renamed nomaster");
        host.Ip("link add last type veth peer name peer3");
        Await(() => names.Count == 6);
        Assert.Equal("renamed", names[first].ToString());
    }

    [KernelFact]
    public void Many_interfaces_at_once_are_all_known()
    {
        using var lab = new NetworkLab();
        var host = lab.AddNamespace("h");
        var commands = string.Concat(Enumerable.Range(0, 150).Select(i => $"link add d{i} type veth peer name dp{i}\n"));
        host.Execute("ip", ["-batch", "-"], commands);
        using var names = host.Run(InterfaceNames.Open);
        Assert.Equal(301, names.Count);
        host.Execute("ip", ["-batch", "-"], commands.Replace("add d", "add e", StringComparison.Ordinal).Replace("name dp", "name ep", StringComparison.Ordinal));
        Await(() => names.Count == 601);
        Assert.Equal("e149", names[Index(host, "e149")].ToString());
    }

    private static ulong? MacOf(InterfaceNames names, int index)
    {
        names.Find(index, out var mac);
        return mac;
    }

    private static ulong? Mac(NetworkNamespace host, string name)
        => ulong.Parse(host.Execute($"cat /sys/class/net/{name}/address").Trim().Replace(":", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static int Index(NetworkNamespace host, string name)
        => int.Parse(host.Ip($"-o link show dev {name}").Split(':')[0], CultureInfo.InvariantCulture);

    private static void Await(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "not announced within 5 s");
            Thread.Sleep(2);
        }
    }
}
