using System.Diagnostics;
using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using Grpc.Core;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Rules of three gateways, real processes under load: in force on all, or on none, whichever of them is lost.</summary>
[Collection(ClusterTests.Name)]
public sealed class ClusterRulesTests
{
    private const int SigContinue = 18;
    private const int SigStop = 19;
    private const int SigInterrupt = 2;
    private static readonly int[] All = [0, 1, 2];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Applies of two clients together.</summary>
    private static readonly int Applies = ClusterSetup.Number("FWCLUSTER_TEST_APPLIES", 100);

    [KernelFact]
    public async Task RulesAreInForceOnAllNodesOrOnNone()
    {
        using var gateways = new RuledGateways(All.Length);
        gateways.Start(All);
        gateways.Lab.RouteByFlow();
        using var load = gateways.Lab.Client.Start("ping", ["-i", "0.002", "-q", GatewaysLab.ServerAddress(IpFamily.IPv4)]);
        AssertAgreed(gateways, 1, "from "); // the rule files of one of them

        // Many rules.
        var many = RuledGateways.Rules(Enumerable.Range(0, 10_000).Select(i => $"-A FORWARD -s 10.{i % 250}.{i / 250}.7/32 -p tcp -m tcp --dport {1000 + i} -j DROP"));
        for (var time = 0; time < 2; time++)
        {
            var (watch, taken) = (Stopwatch.StartNew(), ProcessorTime(gateways));
            await gateways.RulesOf(1).ApplyAsync(new ApplyRulesetRequest { Rules = new RulesetText { Ipv4 = many + (time == 0 ? "" : "# again\n") }, Comment = "many" });
            Say($"10,000 rules in force on three nodes {watch.ElapsedMilliseconds} ms after the call; it took {(ProcessorTime(gateways) - taken).TotalMilliseconds:0} ms of processors");
            AssertAgreed(gateways, (ulong)(2 + time), "many");
        }
        Assert.All(All, i => Assert.Contains("dpt:10999", gateways[i].ListRules(IpFamily.IPv4), StringComparison.Ordinal));
        await gateways.RulesOf(0).ApplyAsync(new ApplyRulesetRequest { Rules = new RulesetText { Ipv4 = RuledGateways.Rules() } });

        // Two who apply over each other, at two nodes.
        var (began, spent) = (Stopwatch.StartNew(), ProcessorTime(gateways));
        var stale = (await Task.WhenAll(ApplyLinesAsync(gateways, 0, Applies / 2), ApplyLinesAsync(gateways, 2, Applies / 2))).Sum();
        Say($"{Applies} applies by two clients in {began.ElapsedMilliseconds} ms, {stale} stale ones refused; they took {(ProcessorTime(gateways) - spent).TotalMilliseconds:0} ms of processors");
        AssertAgreed(gateways, (ulong)(4 + Applies), "");
        foreach (var index in All)
        {
            var rules = await gateways.RulesOf(index).GetAsync(new GetRulesetRequest());
            Assert.Equal(Applies, rules.Rules.Ipv4.Split("-j DROP").Length - 1);
        }

        // One whose disk takes nothing.
        Command.Run("chown", ["root", gateways.DiskOf(2)]);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await ApplyAsync(gateways, 1, "refused"));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.StartsWith("node gateway2 cannot take the rules, so they are nowhere in force: ", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Contains("cannot be written", refused.Status.Detail, StringComparison.Ordinal);
        AssertAgreed(gateways, (ulong)(4 + Applies), "");
        Command.Run("chown", ["65534:65534", gateways.DiskOf(2)]);
        await ApplyAsync(gateways, 1, "taken");
        AssertAgreed(gateways, (ulong)(5 + Applies), "taken");
        load.Signal(SigInterrupt);
        Assert.True(load.WaitForExit(Patience));
    }

    [KernelFact(Explicit = true)]
    public async Task WhoeverIsKilledBetweenReadyAndInForceAllAgree()
    {
        using var gateways = new RuledGateways(All.Length, isInMemory: true);
        gateways.Start(All);
        gateways.Lab.RouteByFlow();
        var coordinator = All.Single(i => gateways[i].Log.Contains("This node coordinates the rules", StringComparison.Ordinal));
        var (killed, slow) = ((coordinator + 1) % 3, (coordinator + 2) % 3);
        await ApplyAsync(gateways, killed, "before");

        // One that is ready is killed while another one is not yet. Where its word that it is ready was heard, the rules are in force without it.
        var apply = await HoldAsync(gateways, slow, [coordinator, killed], at: coordinator, "while one is killed");
        gateways[killed].Kill();
        gateways[slow].Signal(SigContinue);
        var refusal = await RefusalOf(apply);
        Say($"one was killed: {refusal?.Detail ?? "applied"}");
        var (number, comment) = refusal is null ? (3ul, "while one is killed") : (2ul, "before");
        if (refusal is { } unavailable)
        {
            Assert.Equal(StatusCode.Unavailable, unavailable.StatusCode);
            // On a machine that has much to do the other one, which had been stopped, may have been given up, too.
            Assert.Matches($"^node ({RuledGateways.NameOf(killed)}|{RuledGateways.NameOf(slow)}) cannot take the rules, so they are nowhere in force: ", unavailable.Detail);
        }
        AssertAgreed(gateways, number, comment, [coordinator, slow]);
        gateways.Start(killed);
        AssertAgreed(gateways, number, comment);
        Assert.True(SpinWait.SpinUntil(() => !All.Any(i => HasPrepared(gateways, i)), Patience), Describe(gateways));

        // The coordinator itself; its client is another node's, which cannot say how it ended.
        apply = await HoldAsync(gateways, slow, [coordinator, killed], at: killed, "while the coordinator is killed");
        gateways[coordinator].Kill();
        gateways[slow].Signal(SigContinue);
        Assert.Equal(StatusCode.Unknown, (await RefusalOf(apply))?.StatusCode);
        gateways.Start(coordinator);
        Assert.True(SpinWait.SpinUntil(
            () => !All.Any(i => HasPrepared(gateways, i)) && All.Select(gateways.TryGeneration).Distinct().Count() == 1, Patience), Describe(gateways));
        var agreed = gateways.TryGeneration(0)!;
        Say($"the coordinator was killed: generation {agreed.Number}, {agreed.Comment}");
        Assert.Contains((agreed.Number, agreed.Comment), ((ulong, string)[])[(number, comment), (number + 1, "while the coordinator is killed")]);

        // All at once. What was in force decides the first packet.
        await ApplyAsync(gateways, 0, "no pings", "-A FORWARD -p icmp -j DROP");
        using var pings = gateways.Lab.Client.Start("ping", ["-i", "0.01", GatewaysLab.ServerAddress(IpFamily.IPv4)]);
        foreach (var index in All) gateways[index].Kill();
        gateways.Start(All);
        AssertAgreed(gateways, agreed.Number + 1, "no pings");
        Assert.True(SpinWait.SpinUntil(() => Dropped(gateways) >= 10, Patience), Describe(gateways));
        pings.Signal(SigInterrupt);
        Assert.True(pings.WaitForExit(Patience));
        Assert.Contains(" 0 received", pings.Output, StringComparison.Ordinal);
        await ApplyAsync(gateways, 2, "after all"); // and it goes on
        AssertAgreed(gateways, agreed.Number + 2, "after all");
        gateways.Lab.Client.Execute($"ping -c 1 -W 5 {GatewaysLab.ServerAddress(IpFamily.IPv4)}");
    }

    /// <summary>Applies at a node while another one does not run; returns when those that are to be ready are.</summary>
    private static async Task<Task> HoldAsync(RuledGateways gateways, int slow, int[] ready, int at, string comment)
    {
        gateways[slow].Signal(SigStop);
        var apply = ApplyAsync(gateways, at, comment);
        var end = DateTime.UtcNow + Patience;
        while (!ready.All(i => File.Exists(Path.Combine(gateways.DiskOf(i), "prepared", "generation"))))
        {
            Assert.True(DateTime.UtcNow < end && !apply.IsCompleted, $"nothing is ready: {apply.Exception}\n{Describe(gateways)}");
            await Task.Delay(1);
        }
        return apply;
    }

    private static async Task<Status?> RefusalOf(Task apply)
    {
        try
        {
            await apply;
            return null;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }

    private static bool HasPrepared(RuledGateways gateways, int index) => Directory.Exists(Path.Combine(gateways.DiskOf(index), "prepared"));

    private static async Task ApplyAsync(RuledGateways gateways, int at, string comment, params string[] lines)
        => await gateways.RulesOf(at).ApplyAsync(new ApplyRulesetRequest { Rules = new RulesetText { Ipv4 = RuledGateways.Rules(lines) + $"# {comment}\n" }, Comment = comment });

    /// <summary>Adds lines to what is there, one after the other; how often somebody else was faster.</summary>
    private static async Task<int> ApplyLinesAsync(RuledGateways gateways, int at, int times)
    {
        var (rules, stale) = (gateways.RulesOf(at), 0);
        for (var done = 0; done < times;)
        {
            var current = await rules.GetAsync(new GetRulesetRequest());
            try
            {
                await rules.ApplyAsync(new ApplyRulesetRequest
                {
                    Rules = new RulesetText { Ipv4 = current.Rules.Ipv4.Replace("COMMIT", $"-A FORWARD -s 10.99.{at}.{done}/32 -j DROP\nCOMMIT", StringComparison.Ordinal) },
                    ExpectedGeneration = current.Generation.Number,
                });
                done++;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Aborted)
            {
                stale++;
            }
        }
        return stale;
    }

    private static void AssertAgreed(RuledGateways gateways, ulong number, string comment, params int[] nodes)
    {
        foreach (var index in nodes.Length > 0 ? nodes : All)
        {
            var generation = gateways.TryGeneration(index);
            Assert.True(generation?.Number == number && generation.Comment.StartsWith(comment, StringComparison.Ordinal), $"{index}: {generation}\n{Describe(gateways)}");
        }
    }

    /// <summary>Packets that rules have dropped on all nodes together.</summary>
    private static long Dropped(RuledGateways gateways) => All.Sum(i => gateways[i].ListRules(IpFamily.IPv4).Split('\n')
        .Where(line => line.Contains(" DROP ", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture)));

    /// <summary>What all nodes have taken together.</summary>
    private static TimeSpan ProcessorTime(RuledGateways gateways) => All.Aggregate(TimeSpan.Zero, (sum, i) => sum + gateways[i].ProcessorTime);

    private static string Describe(RuledGateways gateways)
        => string.Join('\n', All.Select(i => $"{RuledGateways.NameOf(i)}: {gateways.TryGeneration(i)}\n{gateways[i].Log}"));

    private static void Say(string what) => TestContext.Current.TestOutputHelper?.WriteLine(what);
}
