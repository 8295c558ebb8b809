using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Live;

/// <summary>
/// The exercise as it happens: vsftpd and a client log in and upload, tcpdump listens at the server. Each packet that it saw was
/// counted by one rule or policy, and the states are those that the kernel's tracking gives when the capture passes it.
/// </summary>
public partial class LiveExerciseTests
{
    private const string Server = "10.211.55.20";
    private const string Client = "10.211.55.10";

    [KernelTheory]
    [InlineData(FirewallKind.Kernel, "-p")]
    [InlineData(FirewallKind.Kernel, "-A")]
    [InlineData(FirewallKind.FwCluster, "-p")]
    [InlineData(FirewallKind.FwCluster, "-A")]
    public void EachPacketIsCountedOnceAndAsTheKernelWould(FirewallKind kind, string mode)
    {
        var (frames, listing) = Record(kind, mode);

        using var host = new ServerHost(Server, Client);
        host.RunRules(Repository.Exercise("exercise.rules"));
        host.AttachFtpHelper();
        var captured = host.Replay(frames);
        Assert.True(captured.Packets > 50, $"only {captured.Packets} packets were captured");
        Assert.Equal(captured, RuleListing.Total(listing));
        Assert.Equal(host.ListRules(), listing);

        // By tracking alone, without rules: what each packet is.
        using var referee = new KernelReferee();
        var states = frames
            .Select(frame => referee.Send(frame.AsSpan(14, frame[16] << 8 | frame[17])))
            .CountBy(state => state)
            .ToDictionary(count => count.Key.ToString().ToUpperInvariant(), count => count.Value);
        Assert.Equal(["ESTABLISHED", "NEW", "RELATED"], states.Keys.Order());
        Assert.Equal(states.OrderBy(count => count.Key), CountsByState(listing).OrderBy(count => count.Key));
    }

    private static (IReadOnlyList<byte[]> Frames, string Listing) Record(FirewallKind kind, string mode)
    {
        using var account = new FtpAccount();
        using var lab = new NetworkLab();
        var server = lab.AddNamespace("s");
        var client = lab.AddNamespace("c");
        NetworkLab.AddVeth(server, "eth0", client, "eth0");
        foreach (var (host, address) in ((NetworkNamespace, string)[])[(server, Server), (client, Client)])
        {
            // Only the exercise's packets, and each as it is on the cable: no offload.
            host.SetSysctl("net/ipv6/conf/eth0/disable_ipv6", "1");
            host.TryExecute("ethtool", ["-K", "eth0", "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off", "sg", "off"]);
            host.Ip("link set eth0 gso_max_segs 1");
            host.Ip($"address add {address}/24 dev eth0");
            host.Ip("link set eth0 up");
        }

        FtpServer.StartVsftpd(server, account, Server);
        var rules = File.ReadAllText(Repository.Exercise("exercise.rules"));
        using var firewall = kind.Start(server, new FirewallSetup(rules, ""));

        var capture = Path.Combine(account.Folder, "capture.pcap");
        var tcpdump = TcpDump.Start(server, "eth0", capture, "ip");

        var upload = Path.Combine(account.Folder, "upload.txt");
        File.WriteAllLines(upload, Enumerable.Range(1, 2000).Select(line => $"Line {line,44}"));
        var said = client.Execute("timeout", ["30", "tnftp", "-4", "-n", "-v", mode, Server],
            $"epsv4 off\nuser {FtpAccount.User} {FtpAccount.Password}\nbinary\nput {upload} upload.txt\nbye\n");
        Assert.True(File.ReadAllBytes(upload).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(account.Home, "upload.txt"))), said);

        // Both connections are over once their entries have seen the last ACK.
        Assert.True(SpinWait.SpinUntil(
            () => Entry().Matches(firewall.ListConnections()).All(entry => entry.Value.Contains("TIME_WAIT", StringComparison.Ordinal)), Endpoints.Patience));
        tcpdump.StopAfter(() => RuleListing.Total(firewall.ListRules(IpFamily.IPv4)).Packets);
        return (CaptureFrames.Read(capture), firewall.ListRules(IpFamily.IPv4));
    }

    private static Dictionary<string, int> CountsByState(string listing)
        => Counted().Matches(listing)
            .GroupBy(rule => rule.Groups["state"].Value, rule => int.Parse(rule.Groups["packets"].ValueSpan, CultureInfo.InvariantCulture))
            .ToDictionary(counts => counts.Key, counts => counts.Sum());

    [GeneratedRegex("(?m)^tcp .*$")]
    private static partial Regex Entry();

    [GeneratedRegex("(?m)^ *(?<packets>[0-9]+) .* state (?<state>[A-Z]+) *$")]
    private static partial Regex Counted();
}
