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
        routes.MapGet("/rules", (string? table, string? family) => Running(state, gateway => Task.FromResult(Rules(gateway, table, family))));
        routes.MapPost("/counters/zero", () => Running(state, gateway =>
        {
            foreach (var active in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6]) gateway.Loop.Worker.Rules(active).Counters.Zero();
            return Task.FromResult("zeroed\n");
        }));
        routes.MapGet("/connections", () => Running(state, gateway => gateway.Loop.Ask(worker =>
        {
            var text = new StringBuilder();
            foreach (var index in worker.Connections.Connections(worker.Now))
                text.Append(ConnectionListing.Connection(worker.Connections, index, 0, worker.Now)).Append('\n');
            return text.ToString();
        })));
        routes.MapGet("/expectations", () => Running(state, gateway => gateway.Loop.Ask(worker =>
        {
            var text = new StringBuilder();
            foreach (var expectation in worker.Connections.Expectations(worker.Now))
                text.Append(ConnectionListing.Expectation(worker.Connections, expectation, worker.Now)).Append('\n');
            return text.ToString();
        })));
        routes.MapGet("/statistics", () => Running(state, gateway => gateway.Loop.Ask(worker => Statistics(worker.Connections) + Outputs(gateway))));
    }

    private static async Task<IResult> Running(NodeState state, Func<Gateway, Task<string>> answer)
        => state.TryGet(out var gateway)
            ? Results.Text(await answer(gateway).ConfigureAwait(false))
            : Results.Text("starting or stopping\n", statusCode: StatusCodes.Status503ServiceUnavailable);

    private static string Rules(Gateway gateway, string? table, string? family)
    {
        var active = gateway.Loop.Worker.Rules(family == "ipv6" ? IpFamily.IPv6 : IpFamily.IPv4);
        using var text = new StringWriter();
        foreach (var id in Enum.GetValues<TableId>())
            if ((table ?? "filter") == id.Name())
                ChainListing.Write(text, active.Rules, active.Counters, id);
        return text.ToString();
    }

    private static string Outputs(Gateway gateway)
    {
        var text = new StringBuilder();
        text.Append($"log lost={gateway.Log.Lost}\n");
        if (gateway is { Answers: { } answers, AnswerPort: { } port })
            text.Append($"answers sent={port.Sent} failed={port.Failed} limited={answers.Limited}\n");
        if (gateway.Drops.Writer is { } drops) text.Append($"drops written={drops.Written} lost={drops.Lost} failed={drops.Failed}\n");
        return text.ToString();
    }

    private static string Statistics(ConnectionTable table)
    {
        var statistics = table.Statistics;
        var text = new StringBuilder();
        text.Append($"entries={table.Count} found={statistics.Found} inserted={statistics.Inserted} removed={statistics.Removed} "
            + $"early_drop={statistics.EarlyDropped} expect_create={statistics.ExpectationsCreated} expect_new={statistics.ExpectationsMatched}\n");
        foreach (var failure in Enum.GetValues<TrackFailure>())
            if (statistics[failure] > 0)
                text.Append($"failed {failure}={statistics[failure]}\n");
        return text.ToString();
    }
}
