using System.Globalization;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.Packets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>What gateways are told so that they are one cluster.</summary>
internal static class ClusterSetup
{
    /// <summary>A key as <c>openssl rand -hex 16</c> prints it.</summary>
    public const string Key = "000102030405060708090a0b0c0d0e0f";

    private const int Port = 4053;

    /// <summary>
    /// Rules that let FTP through and nothing else, a node on each gateway. A packet that announces a connection waits for longer than it would
    /// by default: on a machine that runs other tests meanwhile nothing is to be told by milliseconds.
    /// </summary>
    /// <param name="gateway">The gateway's index.</param>
    /// <param name="gateways">How many there are; all of them are seeds.</param>
    public static FirewallSetup Of(int gateway, int gateways) => FtpRules.StrictForEachGateway() with
    {
        DaemonSettings =
        [
            .. Place(gateway, gateways),
            "cluster.allow-clear-text=yes",
            "cluster.expectation-wait-ms=2000",
        ],
    };

    /// <summary>Where a node is, and the cluster's key; neither certificates nor the word that none are needed.</summary>
    public static IReadOnlyList<string> Place(int gateway, int gateways) =>
    [
        "cluster.listen=" + Node(gateway),
        "cluster.seeds=" + string.Join(',', Enumerable.Range(0, gateways).Select(Node)),
        "cluster.key=" + Key,
    ];

    /// <summary>Starts a cluster: a node on each gateway; returns when all are ready.</summary>
    public static IReadOnlyList<FwClusterFirewall> StartCluster(this GatewaysLab lab, Func<FirewallSetup, FirewallSetup>? change = null)
        => lab.StartOnEach((index, _) => lab.StartNode(index, change));

    /// <summary>Starts one node of a laboratory's cluster; returns when it is ready.</summary>
    public static FwClusterFirewall StartNode(this GatewaysLab lab, int index, Func<FirewallSetup, FirewallSetup>? change = null)
    {
        var setup = Of(index, lab.Gateways.Count);
        return new FwClusterFirewall(lab.Gateways[index], change is null ? setup : change(setup));
    }

    /// <summary>How many shards a node has.</summary>
    public static int Shards(FwClusterFirewall node)
    {
        const string label = "cluster shards=";
        var statistics = node.ReadStatistics();
        var after = statistics.AsSpan(statistics.IndexOf(label, StringComparison.Ordinal) + label.Length);
        return int.Parse(after[..after.IndexOf(' ')], CultureInfo.InvariantCulture);
    }

    /// <summary>A number that a person may set for a longer run, by a variable of the environment.</summary>
    public static int Number(string variable, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : otherwise;

    private static string Node(int gateway) => string.Create(CultureInfo.InvariantCulture, $"{GatewaysLab.ClusterAddress(IpFamily.IPv4, gateway)}:{Port}");
}
