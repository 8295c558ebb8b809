using System.Collections.Concurrent;
using System.Diagnostics;
using FwCluster.Api.V1;
using FwCluster.Control.Rulesets;
using Grpc.Core;

namespace FwCluster.Control.Tests;

/// <summary>A change of rules as a trace: part of the caller's, a step for each node, and the reason where it failed.</summary>
public sealed class RulesetTracesTests
{
    private const string Open = "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT";

    [Fact]
    public async Task AChangeIsPartOfItsCallersTraceAndEachNodeHasItsSteps()
    {
        var spans = await ApplyAsync(new Target("second"));
        var apply = Assert.Single(spans, s => s.DisplayName == "ruleset.apply");
        Assert.Equal((ActivityKind.Server, "b7ad6b7169203331", ActivityStatusCode.Unset), (apply.Kind, apply.ParentSpanId.ToHexString(), apply.Status));
        Assert.Equal((1L, "operator-1"), (apply.GetTagItem("fwcluster.ruleset.generation"), (string)apply.GetTagItem("fwcluster.ruleset.author")!));
        foreach (var name in (string[])["ruleset.check", "ruleset.prepare", "ruleset.commit"])
            Assert.Equal(apply.SpanId, Assert.Single(spans, s => s.DisplayName == name).ParentSpanId);
        Assert.All(spans.Where(s => s.DisplayName is "ruleset.prepare" or "ruleset.commit"), s => Assert.Equal("second", s.GetTagItem("fwcluster.node")));
        var order = spans.OrderBy(s => s.StartTimeUtc).Select(s => s.DisplayName);
        Assert.Equal(["ruleset.apply", "ruleset.check", "ruleset.prepare", "ruleset.commit"], order);
    }

    [Fact]
    public async Task ANodeThatRefusesIsTheTracesError()
    {
        var spans = await ApplyAsync(new Target("second") { Refusal = "no memory" });
        Assert.Equal((ActivityStatusCode.Error, "no memory"), Told(spans, "ruleset.prepare"));
        Assert.Equal((ActivityStatusCode.Error, "node second cannot take the rules, so they are nowhere in force: no memory"), Told(spans, "ruleset.apply"));
        Assert.DoesNotContain(spans, s => s.DisplayName == "ruleset.commit");
    }

    private static (ActivityStatusCode, string?) Told(IEnumerable<Activity> spans, string name)
    {
        var span = Assert.Single(spans, s => s.DisplayName == name);
        return (span.Status, span.StatusDescription);
    }

    private static async Task<IReadOnlyCollection<Activity>> ApplyAsync(Target second)
    {
        var trace = ActivityTraceId.CreateRandom();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RulesetTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace) spans.Enqueue(span); // other tests apply rules, too
            },
        };
        ActivitySource.AddActivityListener(listener);
        ControlLab.OtherNodes.Value = [new TracedTarget(second)];
        await using var lab = await ControlLab.StartAsync();
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("operator"));
        var headers = new Metadata { { "traceparent", $"00-{trace.ToHexString()}-b7ad6b7169203331-01" } };
        try
        {
            await rules.ApplyAsync(new() { Rules = ControlLab.Rules(Open) }, headers);
            Assert.Null(second.Refusal);
        }
        catch (RpcException) when (second.Refusal is not null)
        {
            // As it was to be.
        }
        // The answer may be here before the call's own span has ended.
        Assert.True(SpinWait.SpinUntil(() => spans.Any(s => s.DisplayName == "ruleset.apply"), TimeSpan.FromSeconds(10)));
        return spans;
    }

    /// <summary>A node that takes rules, or refuses them.</summary>
    private sealed class Target(string name) : IRulesetTarget, IPreparedRuleset
    {
        public string? Refusal { get; init; }

        public string Name => name;

        public Task<IPreparedRuleset> PrepareAsync(InForce rules) => Refusal is null ? Task.FromResult<IPreparedRuleset>(this) : throw new InvalidOperationException(Refusal);

        public Task CommitAsync() => Task.CompletedTask;
    }
}
