using System.Text;
using FwCluster.Conntrack;
using FwCluster.Node.Live;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FwCluster.Node.State;

/// <summary>What the state's socket answers: plain text, as the tools that people know print it.</summary>
internal static class StateEndpoint
{
    /// <summary>Adds the answers.</summary>
    public static void Map(IEndpointRouteBuilder routes, NodeState state)
    {
        routes.MapGet("/healthz", () => "ok\n");
        routes.MapGet("/readyz", () => state.NotReady is { } why
            ? Results.Text(why + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ok\n"));
        routes.MapPost("/drain", () =>
        {
            state.Drain();
            return Results.Text("not ready from now on\n");
        });
        routes.MapGet("/rules", (string? table, string? family) => Running(state, gateway =>
            gateway.ReadRules(family == "ipv6" ? IpFamily.IPv6 : IpFamily.IPv4, (rules, counters) => Rules(rules, counters, table)), isOfPorts: true));
        routes.MapPost("/counters/zero", () => Running(state, gateway =>
        {
            foreach (var lane in gateway.Lanes)
                foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
                    lane.Worker.Rules(family).Counters.Zero();
            return Task.FromResult("zeroed\n");
        }));
        routes.MapGet("/connections", () => Running(state, async gateway => string.Concat(await gateway.AskTables(Connections).ConfigureAwait(false))));
        routes.MapGet("/expectations", () => Running(state, async gateway => string.Concat(await gateway.AskTables(Expectations).ConfigureAwait(false))));
        routes.MapGet("/statistics", () => Running(state, async gateway
            => Statistics(gateway, await gateway.AskTables((table, _) => TableCounts.Read(table)).ConfigureAwait(false)) + Outputs(gateway)));
    }

    private static async Task<IResult> Running(NodeState state, Func<Gateway, Task<string>> answer, bool isOfPorts = false)
        => state.TryGet(out var gateway)
            ? isOfPorts && gateway.Lanes.Count == 0
                ? Results.Text("this node takes no packets: it has not the role capture\n", statusCode: StatusCodes.Status404NotFound)
                : Results.Text(await answer(gateway).ConfigureAwait(false))
            : Results.Text("starting or stopping\n", statusCode: StatusCodes.Status503ServiceUnavailable);

    private static string Rules(CompiledRuleset rules, RuleCounterSet counters, string? table)
    {
        using var text = new StringWriter();
        foreach (var id in Enum.GetValues<TableId>())
            if ((table ?? "filter") == id.Name())
                ChainListing.Write(text, rules, counters, id);
        return text.ToString();
    }

    private static string Connections(ConnectionTable table, long now)
    {
        var text = new StringBuilder();
        foreach (var index in table.Connections(now))
            if (Gateway.IsKnownBest(in table[index]))
                text.Append(ConnectionListing.Connection(table, index, 0, now)).Append('\n');
        return text.ToString();
    }

    private static string Expectations(ConnectionTable table, long now)
    {
        var text = new StringBuilder();
        foreach (var expectation in table.Expectations(now))
            text.Append(ConnectionListing.Expectation(table, expectation, now)).Append('\n');
        return text.ToString();
    }

    private static string Outputs(Gateway gateway)
    {
        var text = new StringBuilder();
        text.Append($"log lost={gateway.Lanes.Sum(lane => lane.Log.Lost)}\n");
        if (gateway.Mirror is { } mirror) text.Append($"mirror received={mirror.Received} overruns={mirror.Overruns} kernel_drops={mirror.KernelDrops}\n");
        if (gateway.Lanes.Count > 0 && gateway.Lanes[0].Answers is not null)
        {
            text.Append($"answers sent={gateway.Lanes.Sum(lane => lane.AnswerPort!.Sent)} failed={gateway.Lanes.Sum(lane => lane.AnswerPort!.Failed)} "
                + $"limited={gateway.Lanes.Sum(lane => lane.Answers!.Limited)}\n");
        }
        if (gateway.Drops.Writer is { } drops) text.Append($"drops written={drops.Written} lost={drops.Lost} failed={drops.Failed}\n");
        return text.ToString();
    }

    private static string Statistics(Gateway gateway, IReadOnlyList<TableCounts> tables)
    {
        // Shards have every connection, workers some of them a second time.
        var owners = gateway.Shards is null ? tables : [.. tables.Skip(gateway.Lanes.Count)];
        ulong Sum(Func<TableCounts, ulong> count) => tables.Aggregate(0UL, (sum, table) => sum + count(table));
        ulong Owned(Func<TableCounts, ulong> count) => owners.Aggregate(0UL, (sum, table) => sum + count(table));
        var text = new StringBuilder();
        text.Append($"entries={Owned(t => t.Entries)} found={Sum(t => t.Found)} inserted={Owned(t => t.Inserted)} removed={Owned(t => t.Removed)} "
            + $"early_drop={Owned(t => t.EarlyDropped)} expect_create={Sum(t => t.ExpectationsCreated)} expect_new={Sum(t => t.ExpectationsMatched)}\n");
        foreach (var failure in Enum.GetValues<TrackFailure>())
            if (Sum(t => t.Failures[(int)failure]) is > 0 and var count)
                text.Append($"failed {failure}={count}\n");
        if (gateway.Shards is ClusterShardHost { Node: var node })
        {
            var cluster = node.Statistics;
            text.Append($"cluster shards={node.ShardsHere.Count} questions={cluster.Questions} elsewhere={cluster.QuestionsElsewhere} refused={cluster.Refused} "
                + $"batches={cluster.BatchesSent} replies={cluster.RepliesReceived} forwarded={cluster.Forwarded} broken={cluster.Broken} distrusted={cluster.Distrusted} "
                + $"unsent={cluster.Unsent} asked_again={cluster.AskedAgain} expectation_waits_over={cluster.ExpectationWaitsOver}\n");
        }
        if (gateway.Shards is not null)
        {
            text.Append($"held waiting={gateway.Lanes.Sum(lane => lane.Worker.HeldCount)} refused={gateway.Lanes.Sum(lane => (long)lane.Worker.Statistics.Overloaded)} "
                + $"unanswered={gateway.Lanes.Sum(lane => (long)lane.Worker.Statistics.Unanswered)}\n");
        }
        return text.ToString();
    }
}
