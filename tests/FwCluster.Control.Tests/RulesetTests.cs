using FwCluster.Api.V1;
using FwCluster.Control.Rulesets;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kind = FwCluster.Api.V1.RulesetEvent.Types.Kind;

namespace FwCluster.Control.Tests;

/// <summary>Rules by generations: applied, refused, confirmed, brought back, and there again after a start.</summary>
public sealed class RulesetTests
{
    private const string Open = "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT";
    private const string Closed = "-A FORWARD -p udp -j DROP";

    [Fact]
    public async Task AppliedRulesDecideAndTheDifferenceIsTold()
    {
        await using var lab = await ControlLab.StartAsync(workers: 2);
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        var dry = await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open), DryRun = true });
        Assert.Equal(0u, dry.Generation.Number);
        var applied = await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open), ExpectedGeneration = 0, Comment = "names" });
        Assert.Equal((1ul, "operator-1", "names", dry.Difference), (applied.Generation.Number, applied.Generation.Author, applied.Generation.Comment, applied.Difference));
        Assert.Contains($"\n+{Open}\n", applied.Difference, StringComparison.Ordinal);
        await lab.SendAsync(0, ControlLab.Udp("192.0.2.1", "192.0.2.2", 1, 53));
        await lab.SendAsync(1, ControlLab.Udp("192.0.2.1", "192.0.2.2", 2, 53), ControlLab.Udp("192.0.2.1", "192.0.2.2", 3, 53));

        var second = await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open, Closed), ExpectedGeneration = 1 });
        Assert.Contains($"\n {Open}\n+{Closed}\n", second.Difference, StringComparison.Ordinal);
        await lab.SendAsync(1, ControlLab.Udp("192.0.2.1", "192.0.2.2", 4, 54));

        // Summed over workers, and what stands in both generations goes on.
        var counters = new CountersService.CountersServiceClient(lab.Channel("operator"));
        var selection = new CounterSelection { Table = "filter", Chain = "FORWARD", Family = Family.Ipv4 };
        var read = await counters.ReadAsync(new() { Selection = selection });
        Assert.Equal(2ul, read.Generation);
        Assert.Equal([(Open, 3ul, 99ul), (Closed, 1ul, 33ul)], read.Chains.Single().Rules.Select(r => (r.Rule, r.Packets, r.Bytes)));
        var zeroed = await counters.ReadAndZeroAsync(new() { Selection = selection });
        Assert.Equal(read.Chains, zeroed.Chains);
        Assert.All((await counters.ReadAsync(new() { Selection = selection })).Chains.Single().Rules, r => Assert.Equal(0ul, r.Packets));
    }

    [Fact]
    public async Task MistakesAreAllToldWithTheirPlaces()
    {
        await using var lab = await ControlLab.StartAsync();
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        var text = ControlLab.Rules("-A FORWARD -p tcp --dport 99999 -j ACCEPT", "-A FORWARD -j NOWHERE");
        var check = await rules.CheckAsync(new() { Rules = text });
        Assert.False(check.Valid);
        Assert.Equal(["ipv4:5", "ipv4:6"], check.Errors.Select(e => $"{e.Text}:{e.Line}"));
        Assert.All(check.Errors, e => Assert.True(e.Column > 1 && e.Length > 0 && e.SourceLine.Length > 0));
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await rules.ApplyAsync(new() { Rules = text }));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.StartsWith("there are 2 mistakes in the rules:\nipv4:5:", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(0u, (await rules.GetAsync(new())).Generation.Number);
    }

    [Fact]
    public async Task OfTwoWhoApplyOverEachOtherOneIsStaleAndNoUpdateIsLost()
    {
        await using var lab = await ControlLab.StartAsync(change: s => s with { CallsPerSecond = 10_000 });
        const int EachApplies = 25;
        async Task<int> ApplyAsync(string who, int net)
        {
            var rules = new RulesetService.RulesetServiceClient(lab.Channel(who));
            var stale = 0;
            for (var i = 0; i < EachApplies;)
            {
                var current = await rules.GetAsync(new());
                var lines = current.Rules.Ipv4.Split('\n').Where(l => l.StartsWith("-A", StringComparison.Ordinal)).Append($"-A FORWARD -s 10.{net}.{i}.0/24 -j DROP");
                var status = await AccessTests.StatusOf(() => rules.ApplyAsync(new() { Rules = ControlLab.Rules([.. lines]), ExpectedGeneration = current.Generation.Number }));
                if (status == StatusCode.OK) i++;
                else if (status == StatusCode.Aborted) stale++;
                else Assert.Fail($"{status}");
            }
            return stale;
        }
        await Task.WhenAll(ApplyAsync("operator", 1), ApplyAsync("admin", 2));
        var inForce = lab.Agreement.Current;
        Assert.Equal(2ul * EachApplies, inForce.Generation.Number);
        Assert.Equal(2 * EachApplies, inForce.Rules.Texts.IPv4.Split("-j DROP").Length - 1);
    }

    [Fact]
    public async Task WhereANodeRefusesNothingIsAppliedAnywhere()
    {
        ControlLab.OtherNodes.Value = [new RefusingNode()];
        await using var lab = await ControlLab.StartAsync();
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Closed) }));
        Assert.Equal((StatusCode.Unavailable, "node stubborn cannot take the rules, so they are nowhere in force: no memory left"), (refused.StatusCode, refused.Status.Detail));
        Assert.Equal(0u, (await rules.GetAsync(new())).Generation.Number);
        Assert.Empty((await new CountersService.CountersServiceClient(lab.Channel("viewer")).ReadAsync(new())).Chains);
        Assert.Empty((await rules.HistoryAsync(new())).Generations);
    }

    [Fact]
    public async Task WhatIsNotConfirmedGoesByItself()
    {
        await using var lab = await ControlLab.StartAsync();
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open) });
        using var watch = rules.Watch(new());
        async Task<RulesetEvent> Next()
        {
            Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
            return watch.ResponseStream.Current;
        }
        Assert.Equal(Kind.InForce, (await Next()).Kind);

        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Closed), ConfirmWithin = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        var applied = await Next();
        Assert.Equal((Kind.Applied, 2ul), (applied.Kind, applied.Generation.Number));
        Assert.NotNull(applied.Generation.ConfirmBy);
        // Until it is decided, nobody builds on it.
        Assert.Equal(StatusCode.FailedPrecondition, await AccessTests.StatusOf(() => rules.ApplyAsync(new() { Rules = ControlLab.Rules() })));
        var expired = await Next();
        Assert.Equal((Kind.Expired, 3ul, 1ul), (expired.Kind, expired.Generation.Number, expired.Generation.Restores));
        Assert.Equal(ControlLab.Rules(Open).Ipv4, (await rules.GetAsync(new())).Rules.Ipv4);
        await lab.SendAsync(0, ControlLab.Udp("192.0.2.1", "192.0.2.2", 1, 54));
        Assert.Equal(1ul, (await new ConntrackService.ConntrackServiceClient(lab.Channel("viewer")).CountAsync(new())).Count);

        var stays = await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Closed), ConfirmWithin = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        Assert.Equal(Kind.Applied, (await Next()).Kind);
        await rules.ConfirmAsync(new() { Generation = stays.Generation.Number });
        Assert.Equal(Kind.Confirmed, (await Next()).Kind);
        Assert.Equal(StatusCode.FailedPrecondition, await AccessTests.StatusOf(() => rules.ConfirmAsync(new() { Generation = stays.Generation.Number })));
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.Equal(stays.Generation.Number, (await rules.GetAsync(new())).Generation.Number);
    }

    [Fact]
    public async Task HistoryTellsWhoAndWhyAndAnOldGenerationComesBack()
    {
        await using var lab = await ControlLab.StartAsync();
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open), Comment = "first\nof all" });
        await new RulesetService.RulesetServiceClient(lab.Channel("admin")).ApplyAsync(new() { Rules = ControlLab.Rules(Closed), Comment = "shut" });
        var back = await rules.RollBackAsync(new() { Comment = "too much" });
        Assert.Equal((3ul, 1ul), (back.Generation.Number, back.Generation.Restores));
        Assert.Contains($"\n-{Closed}\n+{Open}\n", back.Difference, StringComparison.Ordinal);
        var history = (await rules.HistoryAsync(new())).Generations;
        Assert.Equal(["3 operator-1 too much", "2 admin-1 shut", "1 operator-1 first of all"], history.Select(g => $"{g.Number} {g.Author} {g.Comment}"));
        Assert.Equal([2ul], (await rules.HistoryAsync(new() { Before = 3, Limit = 1 })).Generations.Select(g => g.Number));
        Assert.Equal(ControlLab.Rules(Closed).Ipv4, (await rules.GetAsync(new() { Generation = 2 })).Rules.Ipv4);
        Assert.Equal(StatusCode.NotFound, await AccessTests.StatusOf(() => rules.RollBackAsync(new() { Generation = 17 })));
    }

    [Fact]
    public async Task AfterAStartTheLastGenerationIsInForceButNotOneThatNobodyConfirmed()
    {
        var folder = Directory.CreateTempSubdirectory("fwt-control-").FullName;
        var first = await ControlLab.StartAsync(folder: folder);
        var rules = new RulesetService.RulesetServiceClient(first.Channel("operator"));
        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open), Comment = "stays" });
        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Closed), ConfirmWithin = Duration.FromTimeSpan(TimeSpan.FromHours(1)) });
        await first.EndAsync();

        await using var second = await ControlLab.StartAsync(folder: folder);
        var now = second.Agreement.Current;
        Assert.Equal((3ul, 1ul, "generation 2 was not confirmed before a restart"), (now.Generation.Number, now.Generation.Restores, now.Generation.Comment));
        Assert.Equal(Open, second.Workers[0].Worker.Rules(FwCluster.Packets.IpFamily.IPv4).Rules.Chains.Single(c => c.Name == "FORWARD").Rules
            .Select(r => FwCluster.Rules.Text.RulesetWriter.Write("FORWARD", r)).Single());
        // A person can read what is on the disk.
        var files = Path.Combine(folder, "rulesets", "000000000001");
        Assert.Equal(ControlLab.Rules(Open).Ipv4, File.ReadAllText(Path.Combine(files, "ipv4.rules")));
        Assert.Contains("\nauthor: operator-1\ncomment: stays\n", File.ReadAllText(Path.Combine(files, "generation")), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasChangedOnTheDiskIsNotTakenForWhatWasApplied()
    {
        var folder = Directory.CreateTempSubdirectory("fwt-control-").FullName;
        try
        {
            var store = RulesetStore.Open(folder);
            var texts = new RulesetTexts("", "", "");
            store.Add(new RulesetGeneration { Number = 1, Applied = DateTimeOffset.UtcNow, Author = "a", Digest = texts.Digest() }, texts);
            Directory.CreateDirectory(Path.Combine(folder, ".new-2")); // a crash while one was written
            var again = RulesetStore.Open(folder);
            Assert.Equal(1ul, again.Latest.Number);
            Assert.Equal(texts, again.Read(again.Latest));
            File.WriteAllText(Path.Combine(folder, "000000000001", "ipv4.rules"), "*filter\nCOMMIT\n");
            var wrong = Assert.Throws<RulesetStoreException>(() => again.Read(again.Latest));
            Assert.Contains("these are not the rules that were applied as generation 1", wrong.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task TenThousandRulesAreApplied()
    {
        await using var lab = await ControlLab.StartAsync(workers: 2);
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        string[] lines = [.. Enumerable.Range(0, 10_000).Select(i => $"-A FORWARD -s 10.{i / 250}.{i % 250}.0/24 -p tcp -m tcp --dport {1 + i % 60_000} -j DROP")];
        await rules.ApplyAsync(new() { Rules = ControlLab.Rules(lines[1..]) });
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var applied = await rules.ApplyAsync(new() { Rules = ControlLab.Rules(lines) });
        // A time of a machine that others use as well: told, and not asserted.
        TestContext.Current.SendDiagnosticMessage($"10,000 rules were applied in {watch.ElapsedMilliseconds} ms");
        Assert.Equal($"+{lines[0]}", applied.Difference.Split('\n').Single(l => l.StartsWith('+') && l[1] != '+'));
        Assert.All(lab.Workers, w => Assert.Equal(10_000, w.Worker.Rules(FwCluster.Packets.IpFamily.IPv4).Rules.Chains.Single(c => c.Name == "FORWARD").Rules.Length));
    }

    private sealed class RefusingNode : IRulesetTarget
    {
        public string Name => "stubborn";

        public Task<IPreparedRuleset> PrepareAsync(InForce rules) => throw new InvalidOperationException("no memory left");
    }
}
