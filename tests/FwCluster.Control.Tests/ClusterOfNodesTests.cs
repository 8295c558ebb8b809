using System.Diagnostics;
using System.Text.Json;
using FwCluster.Api.V1;
using FwCluster.Control.Rulesets;
using Grpc.Core;
using Kind = FwCluster.Api.V1.ConntrackEvent.Types.Kind;

namespace FwCluster.Control.Tests;

/// <summary>Every node through any node.</summary>
[Collection(Alone.Name)]
public sealed class ClusterOfNodesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task EveryNodeAnswersForAll()
    {
        await using var lab = await ClusterLab.StartAsync();
        await ApplyEverywhere(lab, "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT");
        for (var n = 0; n < 3; n++)
            for (var i = 0; i <= n; i++)
                await lab.Members[n].SendAsync(ControlLab.Udp($"192.0.2.{n + 1}", "198.51.100.1", (ushort)(1000 + i), 53));
        for (var n = 0; n < 3; n++)
        {
            var tracked = new ConntrackService.ConntrackServiceClient(lab.Channel(n, "operator"));
            var (listed, failures) = await ListAsync(tracked, new());
            Assert.Empty(failures);
            Assert.Equal(["gate1", "gate2", "gate2", "gate3", "gate3", "gate3"], listed.Select(c => c.Node).Order());
            Assert.Equal(["gate2", "gate2"], (await ListAsync(tracked, new() { Node = "gate2" })).Listed.Select(c => c.Node));
            Assert.Equal(3, (await ListAsync(tracked, new() { Source = "192.0.2.3" })).Listed.Count);
            Assert.Equal(4, (await ListAsync(tracked, new(), limit: 4)).Listed.Count);
            Assert.Equal(6ul, (await tracked.CountAsync(new())).Count);
            Assert.Equal(3ul, (await tracked.CountAsync(new() { Filter = new() { Node = "gate3" } })).Count);
            Assert.Equal(["gate1 1", "gate2 2", "gate3 3"], (await tracked.StatisticsAsync(new())).Shards.Select(s => $"{s.Node} {s.Entries}"));
            Assert.Equal(StatusCode.NotFound, await AccessTests.StatusOf(() => tracked.CountAsync(new() { Filter = new() { Node = "gate4" } })));

            var counters = new CountersService.CountersServiceClient(lab.Channel(n, "operator"));
            Assert.Equal(6ul, Hits(await counters.ReadAsync(new())));
            Assert.Equal(2ul, Hits(await counters.ReadAsync(new() { Selection = new() { Node = "gate2" } })));

            var nodes = new ClusterService.ClusterServiceClient(lab.Channel(n, "admin"));
            Assert.Equal(["gate1 Healthy 1", "gate2 Healthy 2", "gate3 Healthy 3"], (await nodes.StatusAsync(new())).Nodes.Select(d => $"{d.Name} {d.Health} {d.Connections}"));
            Assert.Equal(["0 gate1", "1 gate2", "2 gate3"], (await nodes.ListShardsAsync(new())).Shards.Select(s => $"{s.Shard_} {s.Node}"));
            Assert.Equal(7u, (await nodes.DrainAsync(new() { Node = "gate3" })).Shards);
        }
        var zeroing = new CountersService.CountersServiceClient(lab.Channel(1, "operator"));
        var zeroed = await zeroing.ReadAndZeroAsync(new());
        Assert.Equal((6ul, 0ul), (Hits(new() { Chains = { zeroed.Chains } }), Hits(await zeroing.ReadAsync(new()))));

        var deleting = new ConntrackService.ConntrackServiceClient(lab.Channel(0, "operator"));
        Assert.Equal(2ul, (await deleting.DeleteAsync(new() { Filter = new() { Source = "192.0.2.2" } })).Deleted);
        Assert.Equal(4ul, (await deleting.DeleteAsync(new() { All = true })).Deleted);
    }

    [Fact]
    public async Task ChangesAreMadeOnEveryNodeAndEachOneHasWhoMadeThem()
    {
        await using var lab = await ClusterLab.StartAsync();
        var helpers = new HelperService.HelperServiceClient(lab.Channel(2, "operator"));
        Assert.False((await helpers.UnloadAsync(new() { Name = "ftp" })).Helper.Loaded);
        foreach (var member in lab.Members) Assert.False(await member.Worker.Ask(w => w.Connections.IsLoaded("ftp")));
        Assert.True((await helpers.LoadAsync(new() { Name = "ftp" })).Helper.Loaded);
        Assert.Equal(StatusCode.NotFound, await AccessTests.StatusOf(() => helpers.LoadAsync(new() { Name = "sip" })));

        var settings = new SettingsService.SettingsServiceClient(lab.Channel(0, "admin"));
        Assert.Empty((await settings.SetAsync(new() { Settings = { ["nf_conntrack_udp_timeout"] = 7 } })).Failures);
        Assert.Equal(StatusCode.InvalidArgument, await AccessTests.StatusOf(() => settings.SetAsync(new() { Settings = { ["no_such"] = 7 } })));
        for (var n = 0; n < 3; n++)
            Assert.Equal(7, (await new SettingsService.SettingsServiceClient(lab.Channel(n, "viewer")).GetAsync(new())).Settings["nf_conntrack_udp_timeout"]);

        var asked = Line(lab.Members[2].Audit[0]);
        Assert.Equal(("operator-1", "operator", "certificate", "unload helper ftp"), (asked["who"], asked["role"], asked["proof"], asked["what"]));
        Assert.False(asked.ContainsKey("via"));
        var changed = Line(lab.Members[0].Audit[0]);
        Assert.Equal(("operator-1", "operator", "certificate", "gate3", asked["from"]), (changed["who"], changed["role"], changed["proof"], changed["via"], changed["from"]));
        Assert.Equal(("unload helper ftp", "loaded", "not loaded"), (changed["what"], changed["before"], changed["after"]));
    }

    [Fact]
    public async Task WhoCannotBeReachedIsNamedAndTheOthersAnswer()
    {
        await using var lab = await ClusterLab.StartAsync();
        await ApplyEverywhere(lab, "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT");
        foreach (var member in lab.Members) await member.SendAsync(ControlLab.Udp("192.0.2.1", "198.51.100.1", 1000, 53));
        await lab.Members[1].StopAsync();
        var watch = Stopwatch.StartNew();
        var tracked = new ConntrackService.ConntrackServiceClient(lab.Channel(0, "operator"));
        var (listed, failures) = await ListAsync(tracked, new());
        Assert.Equal(["gate1", "gate3"], listed.Select(c => c.Node));
        Assert.Equal($"gate2: Connection refused ({lab.Members[1].Address.Authority})", Assert.Single(failures));
        var count = await tracked.CountAsync(new());
        Assert.Equal((2ul, "gate2"), (count.Count, Assert.Single(count.Failures).Node));
        var counters = await new CountersService.CountersServiceClient(lab.Channel(0, "operator")).ReadAsync(new());
        Assert.Equal((2ul, "gate2"), (Hits(counters), Assert.Single(counters.Failures).Node));
        var named = await Assert.ThrowsAsync<RpcException>(async () => await tracked.CountAsync(new() { Filter = new() { Node = "gate2" } }));
        Assert.Equal(StatusCode.Unavailable, named.StatusCode);
        Assert.StartsWith("node gate2 cannot be asked: Connection refused (", named.Status.Detail, StringComparison.Ordinal);
        var status = await new ClusterService.ClusterServiceClient(lab.Channel(0, "viewer")).StatusAsync(new());
        Assert.Equal(["Healthy", "Unreachable", "Healthy"], status.Nodes.Select(n => n.Health.ToString()));
        Assert.StartsWith("Connection refused", status.Nodes[1].Problem, StringComparison.Ordinal);
        Assert.Equal("gate2", Assert.Single((await new SettingsService.SettingsServiceClient(lab.Channel(0, "admin")).SetAsync(new() { Settings = { ["nf_conntrack_udp_timeout"] = 7 } })).Failures).Node);
        Assert.True(watch.Elapsed < Patience, $"{watch.Elapsed}");

        // Who answers with somebody else's certificate is not believed.
        lab.Members[2].KnownAs = "gate9";
        var wrong = (await new ClusterService.ClusterServiceClient(lab.Channel(0, "viewer")).StatusAsync(new())).Nodes.Single(n => n.Name == "gate9");
        Assert.Equal(NodeHealth.Unreachable, wrong.Health);
        Assert.StartsWith("its certificate is that of gate3; the common name (CN) must be the node's (control.name)", wrong.Problem, StringComparison.Ordinal);
        lab.Members[2].KnownAs = "gate1";
        Assert.Equal(["gate1", $"gate1@10.0.0.1:{lab.Members[2].Address.Port}", "gate2"],
            (await new ClusterService.ClusterServiceClient(lab.Channel(0, "viewer")).StatusAsync(new())).Nodes.Select(n => n.Name));
    }

    [Fact]
    public async Task CountersOfOtherRulesAreNotInTheSum()
    {
        await using var lab = await ClusterLab.StartAsync(nodes: 2);
        await ApplyAsync(lab.Members[0], "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT");
        await lab.Members[0].SendAsync(ControlLab.Udp("192.0.2.1", "198.51.100.1", 1000, 53));
        var counters = new CountersService.CountersServiceClient(lab.Channel(1, "viewer"));
        var read = await counters.ReadAsync(new());
        Assert.Equal((1ul, 1ul), (read.Generation, Hits(read)));
        Assert.Equal("gate2: generation 0 is in force there, and not 1", Assert.Single(read.Failures) is var f ? $"{f.Node}: {f.Reason}" : "");
        await ApplyAsync(lab.Members[1], "-A FORWARD -p udp -m udp --dport 99 -j ACCEPT");
        Assert.EndsWith("it has other rules in force as generation 1", Assert.Single((await counters.ReadAsync(new())).Failures).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWatchTellsOfAllNodesAndOfThoseThatAreLost()
    {
        await using var lab = await ClusterLab.StartAsync();
        using var watch = new ConntrackService.ConntrackServiceClient(lab.Channel(0, "viewer")).Watch(new() { Kinds = { Kind.New } });
        using var patience = new CancellationTokenSource(Patience);
        async Task<ConntrackEvent> Next()
        {
            Assert.True(await watch.ResponseStream.MoveNext(patience.Token));
            return watch.ResponseStream.Current;
        }
        Assert.Equal(Kind.Watching, (await Next()).Kind);
        for (var n = 2; n >= 0; n--)
        {
            await lab.Members[n].SendAsync(ControlLab.Udp("192.0.2.1", "198.51.100.1", 1000, 53));
            Assert.Equal((Kind.New, lab.Members[n].Name), await Next() is var told ? (told.Kind, told.Connection.Node) : default);
        }
        await lab.Members[2].StopAsync();
        Assert.Equal((Kind.NodeLost, "gate3"), await Next() is var lost ? (lost.Kind, lost.Node) : default);
        await lab.Members[2].StartAsync(lab.Members[2].Address.Port);
        Assert.Equal((Kind.NodeFound, "gate3"), await Next() is var found ? (found.Kind, found.Node) : default);
        await lab.Members[2].SendAsync(ControlLab.Udp("192.0.2.2", "198.51.100.1", 1000, 53));
        Assert.Equal((Kind.New, "gate3"), await Next() is var again ? (again.Kind, again.Connection.Node) : default);
    }

    [Fact]
    public async Task FwctlNamesWhoIsMissingAndShowsTheTopOfAll()
    {
        await using var lab = await ClusterLab.StartAsync();
        await ApplyEverywhere(lab, "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT");
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            for (ushort port = 1; !stop.IsCancellationRequested; port++)
            {
                await lab.Members[1].SendAsync(ControlLab.Udp("192.0.2.1", "198.51.100.1", port, 53));
                await Task.Delay(5);
            }
        }, TestContext.Current.CancellationToken);
        var (code, output, error) = Fwctl(lab, "top", "--json", "--count", "2", "--every", "0.5");
        Assert.Equal((0, ""), (code, error));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        var sample = JsonDocument.Parse(lines[1]).RootElement;
        double New(JsonElement numbers) => numbers.GetProperty("new").GetProperty("perSecond").GetDouble();
        Assert.True(New(sample.GetProperty("sum")) > 1, lines[1]);
        var nodes = sample.GetProperty("nodes").EnumerateArray().ToDictionary(n => n.GetProperty("name").GetString()!);
        Assert.Equal((0, New(sample.GetProperty("sum"))), (New(nodes["gate1"].GetProperty("numbers")), New(nodes["gate2"].GetProperty("numbers"))));
        var first = sample.GetProperty("rules")[0];
        Assert.Equal("-A FORWARD -p udp -m udp --dport 53 -j ACCEPT", first.GetProperty("rule").GetString());
        Assert.True(first.GetProperty("packets").GetProperty("perSecond").GetDouble() > 1, lines[1]);
        Assert.Contains("sum", Fwctl(lab, "top", "--count", "1", "--every", "0.5", "--node", "gate2").Output, StringComparison.Ordinal);
        await stop.CancelAsync();
        await load;

        await lab.Members[1].StopAsync();
        (code, output, error) = Fwctl(lab, "conntrack", "count");
        Assert.Equal((6, "0\n"), (code, output));
        Assert.StartsWith("fwctl: node gate2 is missing: Connection refused (", error, StringComparison.Ordinal);
        Assert.Equal(6, Fwctl(lab, "conntrack", "list").Code);
        Assert.Equal(6, Fwctl(lab, "list").Code);
        Assert.Equal(6, Fwctl(lab, "helper", "unload", "ftp").Code);
        Assert.Equal((3, "fwctl: node gate2 cannot be asked: Connection refused"), Fwctl(lab, "ports", "--node", "gate2") is var named ? (named.Code, named.Error[..53]) : default);
        Assert.Matches("gate1 +healthy +1 .*\\ngate2 +unreachable .*\\n    Connection refused .*\\ngate3 +healthy +1 ", Fwctl(lab, "cluster", "status").Output);
        Assert.Equal((0, "7 shards moved\n"), Fwctl(lab, "cluster", "drain", "gate3") is var drained ? (drained.Code, drained.Error) : default);
    }

    private static (int Code, string Output, string Error) Fwctl(ClusterLab lab, params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        // The first endpoint is nobody's: they are tried in turn.
        var code = Cli.Fwctl.Run(
            [.. words, "-e", "127.0.0.1:1", "-e", lab.Members[0].Address.Authority, "--authority", lab.PathOf("ca.crt"), "--certificate", lab.PathOf("admin.crt"), "--key", lab.PathOf("admin.key")],
            output, error);
        return (code, output.ToString(), error.ToString());
    }

    private static Dictionary<string, string> Line(string json)
        => JsonDocument.Parse(json).RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());

    private static ulong Hits(ReadCountersResponse read) => read.Chains.SelectMany(c => c.Rules).Aggregate(0UL, (sum, rule) => sum + rule.Packets);

    private static async Task ApplyEverywhere(ClusterLab lab, string rule)
    {
        foreach (var member in lab.Members) await ApplyAsync(member, rule);
    }

    private static async Task ApplyAsync(ClusterLab.Member member, string rule)
        => await member.Agreement.ApplyAsync(new RulesetProposal(CheckedRuleset.Read(new RulesetTexts(ControlLab.Rules(rule).Ipv4, "", "")).Rules!, "test"));

    private static async Task<(List<Connection> Listed, List<string> Failures)> ListAsync(ConntrackService.ConntrackServiceClient client, ConnectionFilter filter, ulong limit = 0)
    {
        var (listed, failures) = (new List<Connection>(), new List<string>());
        using var call = client.List(new() { Filter = filter, Limit = limit });
        await foreach (var page in call.ResponseStream.ReadAllAsync())
        {
            listed.AddRange(page.Connections);
            failures.AddRange(page.Failures.Select(f => $"{f.Node}: {f.Reason}"));
        }
        return (listed, failures);
    }
}
