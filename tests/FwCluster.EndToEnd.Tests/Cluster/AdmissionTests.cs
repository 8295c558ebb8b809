using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Gateways;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Who becomes a node of a cluster, and who does not.</summary>
[Collection(ClusterTests.Name)]
public class AdmissionTests
{
    private const int KiB = 1024;
    private const int Stranger = 2;

    [Theory]
    [InlineData("10.0.0.1:4053", null, "cluster.tls: nodes would talk in the clear at 10.0.0.1: give certificate, key and ca, or say allow-clear-text")]
    [InlineData("10.0.0.1:4053", "cluster.allow-clear-text=yes", null)]
    [InlineData("127.0.0.1:4053", null, null)]
    public void ClearTextIsRefusedByName(string listen, string? more, string? message)
    {
        string[] settings = [$"cluster.listen={listen}", $"cluster.key={ClusterSetup.Key}", .. more is null ? (string[])[] : [more]];
        var result = Command.TryRun(FwClusterFirewall.Program, ["--check", .. settings.SelectMany(setting => (string[])["--set", setting])]);
        Assert.Equal(message is null ? 0 : 1, result.ExitCode);
        Assert.Contains(message ?? "configuration and rules are right", result.Error + result.Output, StringComparison.Ordinal);
    }

    /// <summary>It ends, and says why; the cluster goes on.</summary>
    [KernelFact]
    public void ANodeWithAnotherKeyIsRefused()
    {
        using var field = new GatewaysField(2, KiB);
        using var node = field.Lab.StartNode(0);
        var failure = Assert.Throws<CommandFailedException>(() => field.Lab.StartNode(1, setup => setup with
        {
            DaemonSettings = [.. setup.DaemonSettings, "cluster.key=" + new string('f', 32)],
        }));
        Assert.Contains("ended with 1:", failure.Message, StringComparison.Ordinal);
        Assert.Contains("has another key, another number of shards or another version than this node", failure.Message, StringComparison.Ordinal);
        Assert.Contains("10.73.0.1:4053", failure.Message, StringComparison.Ordinal);
        field.Lab.RouteThroughOne(0);
        Assert.Empty(field.FetchInEveryWay(KiB, times: 1, seconds: 30, parallel: 2));
    }

    /// <summary>A node that the others cannot tell anything would drop what it asks about; it is not ready before they can.</summary>
    [KernelFact]
    public void ANodeIsReadyWhenThereAreLinks()
    {
        using var field = new GatewaysField(2, KiB);
        using var first = field.Lab.StartNode(0);
        const string Closed = "INPUT -p tcp --dport 4052 -j DROP";
        field.Lab.Gateways[1].Execute("iptables -A " + Closed);
        using var second = new FwClusterFirewall(field.Lab.Gateways[1], ClusterSetup.Of(1, gateways: 2), orUntil: () => first.Log.Contains("no link to 10.73.0.2:4052", StringComparison.Ordinal));
        Assert.False(second.IsReady);
        field.Lab.Gateways[1].Execute("iptables -D " + Closed);
        Assert.True(SpinWait.SpinUntil(() => second.IsReady, TimeSpan.FromSeconds(20)), second.Log);
        field.Lab.RouteSplit();
        Assert.Empty(field.FetchInEveryWay(KiB, times: 1, seconds: 30, parallel: 2));
    }

    /// <summary>Nodes that prove who they are work as others do; who shows a certificate of somebody else does not get in.</summary>
    [KernelFact]
    public void NodesShowEachOtherCertificates()
    {
        using var authority = new NodeCertificates();
        using var otherAuthority = new NodeCertificates();
        using var field = new GatewaysField(3, KiB) { Client = "ftp" };
        var certificates = Enumerable.Range(0, 3).Select(index => (index == Stranger ? otherAuthority : authority).Sign()).ToArray();
        FwClusterFirewall Start(int index, Func<bool>? orUntil = null) => new(field.Lab.Gateways[index],
            FtpRules.StrictForEachGateway() with { DaemonSettings = [.. ClusterSetup.Place(index, gateways: 2), .. certificates[index]] }, orUntil);
        var starts = Enumerable.Range(0, 2).Select(index => Task.Run(() => Start(index))).ToArray();
        try
        {
            Task.WaitAll(starts, TestContext.Current.CancellationToken);
            using var stranger = Start(Stranger, orUntil: () => starts.Any(node => node.Result.Log.Contains("is not believed", StringComparison.Ordinal)));
            Assert.False(stranger.IsReady);

            field.Lab.RouteSplit();
            Assert.Empty(field.FetchInEveryWay(KiB, times: 2, seconds: 30, parallel: 2, perLogin: 2));
            // Together they have all shards, so no third one has any.
            Assert.Equal(64, starts.Sum(node => ClusterSetup.Shards(node.Result)));
            Assert.All(starts, node => Assert.NotEqual(0, ClusterSetup.Shards(node.Result)));
            // It goes on trying, and nobody has let it in.
            Assert.False(stranger.HasEnded, stranger.Log);
            Assert.False(stranger.IsReady);
        }
        finally
        {
            foreach (var start in starts.Where(start => start.IsCompletedSuccessfully)) start.Result.Dispose();
        }
    }
}
