using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Gateways;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>What clients send crosses the first of three gateways, what servers send the second; and the other way round.</summary>
[Collection(ClusterTests.Name)]
public partial class AsymmetricTests
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    /// <summary>Large transfers in every way; 0 is one transfer in one way.</summary>
    private static readonly int LargeTransfers = ClusterSetup.Number("FWCLUSTER_TEST_LARGE", 0);

    /// <summary>Rules see the states that they would see on one gateway that all packets cross.</summary>
    [KernelFact]
    public void StatesAreThoseOfOneKernel()
    {
        const int Times = 3;
        using var field = new GatewaysField(3, KiB) { Client = "ftp" };
        field.Lab.RouteThroughOne(2);
        Dictionary<string, int> once;
        using (var kernel = FirewallKind.Kernel.Start(field.Lab.Gateways[2], CountStates(FtpRules.StrictForEachGateway())))
        {
            Assert.Empty(field.FetchInEveryWay(KiB, Times, seconds: 60, parallel: 2, perLogin: Times));
            once = States([kernel]);
        }
        var nodes = field.Lab.StartCluster(CountStates);
        field.Lab.RouteAsymmetric(requests: 0, replies: 1);
        Assert.Empty(field.FetchInEveryWay(KiB, Times, seconds: 60, parallel: 2, perLogin: Times));
        field.Lab.RouteAsymmetric(requests: 1, replies: 0);
        Assert.Empty(field.FetchInEveryWay(KiB, Times, seconds: 60, parallel: 2, perLogin: Times));

        // How many packets are established is what TCP makes of the time they take; what connections begin with is not.
        Assert.Equal(GatewaysField.Ways.Count, once["NEW"]);
        Assert.Equal(GatewaysField.Ways.Count * Times, once["RELATED"]);
        Assert.Equal(0, once["INVALID"]);
        var twice = States(nodes);
        Assert.Equal(2 * once["NEW"], twice["NEW"]);
        Assert.Equal(2 * once["RELATED"], twice["RELATED"]);
        Assert.Equal(0, twice["INVALID"]);
        Assert.InRange(twice["ESTABLISHED"], once["ESTABLISHED"], 4 * once["ESTABLISHED"]);
        Assert.Equal(0, field.Lab.Client.SynRetransmissions() + field.Lab.Servers[0].SynRetransmissions());
    }

    /// <summary>The gateways change places again and again while it is under way.</summary>
    [KernelFact]
    public void LargeTransfersArriveWhileRoutesSwap()
    {
        using var field = new GatewaysField(3, 100 * MiB);
        var nodes = field.Lab.StartCluster(CountStates);
        field.Lab.RouteAsymmetric();
        var ways = LargeTransfers == 0 ? GatewaysField.Ways.Take(1) : Enumerable.Repeat(GatewaysField.Ways, LargeTransfers).SelectMany(way => way);
        var transfers = 0;
        foreach (var way in ways)
        {
            var transfer = Task.Run(() => field.Fetch(way, 100 * MiB, seconds: 120));
            var swaps = 0;
            do
            {
                field.Lab.RouteAsymmetric(requests: 1 - swaps % 2, replies: swaps % 2);
                swaps++;
            }
            while (!transfer.Wait(TimeSpan.FromMilliseconds(50)));
            Assert.Empty(transfer.Result);
            Assert.True(swaps > 3, $"{way}: the routes were swapped {swaps} times");
            transfers++;
        }
        var states = States(nodes);
        Assert.Equal(0, states["INVALID"]);
        Assert.Equal(transfers, states["NEW"]);
        Assert.Equal(transfers, states["RELATED"]);
    }

    // Before everything else, a rule for each state that counts and says nothing.
    private static FirewallSetup CountStates(FirewallSetup setup)
    {
        var rules = string.Concat(((string[])["NEW", "ESTABLISHED", "RELATED", "INVALID"]).Select(state => $"-A FORWARD -p tcp -m state --state {state}\n"));
        string Add(string text) => text.Insert(text.IndexOf("-A FORWARD", StringComparison.Ordinal), rules);
        return setup with { RulesIPv4 = Add(setup.RulesIPv4), RulesIPv6 = Add(setup.RulesIPv6) };
    }

    private static Dictionary<string, int> States(IEnumerable<IFirewallUnderTest> firewalls)
        => firewalls.SelectMany(firewall => IpFamilies.Both.SelectMany(family => Counting().Matches(firewall.ListRules(family))))
            .GroupBy(rule => rule.Groups["state"].Value, rule => int.Parse(rule.Groups["packets"].ValueSpan, CultureInfo.InvariantCulture))
            .ToDictionary(counts => counts.Key, counts => counts.Sum());

    // Without a word between numbers and protocol: rules that have no target.
    [GeneratedRegex("(?m)^ *(?<packets>[0-9]+) +[0-9]+ +(tcp|6) .* state (?<state>[A-Z]+) *$")]
    private static partial Regex Counting();
}
