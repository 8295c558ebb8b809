using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace FwCluster.Cluster.Tests;

/// <summary>Nodes that find each other by a name whose addresses come and go, as that of a headless service does.</summary>
[Collection(TestNode.Clusters)]
public sealed class SeedNamesTests
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1.2);

    [Fact]
    public async Task TheFirstOfAllAddressesBeginsWhenTheyHaveStoodForAWhile()
    {
        var port = FreePort();
        var addresses = Array.Empty<string>();
        ClusterSettings Settings(string host) => TestNode.Settings(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"peers.example:{port}")) with
        {
            Host = host, Port = port, AllowClearText = true, BeginAfter = Quiet,
            Resolve = (_, _) => addresses.Length > 0 ? Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()) : throw new SocketException(),
        };
        // A name that nobody knows yet begins nothing, nor does a node that is not the first, nor one that has not waited.
        await using var second = await TestNode.StartAsync(Settings("127.0.0.12"));
        await Task.Delay(2 * Quiet, TestContext.Current.CancellationToken);
        Assert.False(second.Node.Joined.IsCompleted);
        addresses = ["127.0.0.12", "127.0.0.11"];
        await Task.Delay(2 * Quiet, TestContext.Current.CancellationToken);
        Assert.False(second.Node.Joined.IsCompleted);

        await using var first = await TestNode.StartAsync(Settings("127.0.0.11"));
        foreach (var node in (TestNode[])[first, second]) await Joined(node);
        await TestNode.Until(() => first.Node.ShardsHere.Count == 4 && second.Node.ShardsHere.Count == 4, "the two have not found each other");

        // Who comes later joins, also where its address is now the first of all, and that it has stood for long enough.
        await using var later = await TestNode.StartAsync(Settings("127.0.0.10"));
        addresses = ["127.0.0.12", "127.0.0.10", "127.0.0.11"];
        await Joined(later);
        await TestNode.Until(() => later.Node.ShardsHere.Count is > 0 and < 8 && later.Node.KnowsAllShards, "the third has begun a cluster of its own");
        await Task.Delay(2 * Quiet, TestContext.Current.CancellationToken);
        Assert.Equal(8, first.Node.ShardsHere.Count + second.Node.ShardsHere.Count + later.Node.ShardsHere.Count);
    }

    private static Task Joined(TestNode node) => node.Node.Joined.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    /// <summary>Free on all loopback addresses.</summary>
    private static int FreePort()
    {
        var used = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(e => e.Port).ToHashSet();
        return Enumerable.Range(20_000 + Environment.ProcessId % 5_000, 10_000).First(port => !used.Contains(port));
    }
}
