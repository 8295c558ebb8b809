using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="CountersService"/>.</summary>
internal sealed class CountersEndpoint(IControlledCluster cluster) : CountersService.CountersServiceBase
{
    private const int Tries = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public override Task<ReadCountersResponse> Read(ReadCountersRequest request, ServerCallContext context)
        => ReadAsync(request.Selection ?? new(), context);

    /// <inheritdoc/>
    public override async Task<ReadAndZeroCountersResponse> ReadAndZero(ReadAndZeroCountersRequest request, ServerCallContext context)
    {
        context.Note($"read and zero counters {request.Selection}");
        var read = await ZeroAsync(request.Selection ?? new(), context).ConfigureAwait(false);
        var response = new ReadAndZeroCountersResponse { Generation = read.Generation, Chains = { read.Chains }, Failures = { read.Failures } };
        context.Note($"read and zero counters {request.Selection}", Total(read), "0 packets");
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ZeroCountersResponse> Zero(ZeroCountersRequest request, ServerCallContext context)
    {
        context.Note($"zero counters {request.Selection}");
        var read = await ZeroAsync(request.Selection ?? new(), context).ConfigureAwait(false);
        context.Note($"zero counters {request.Selection}", Total(read), "0 packets");
        return new ZeroCountersResponse { Chains = (uint)read.Chains.Count, Failures = { read.Failures } };
    }

    private static string Total(ReadCountersResponse read)
        => $"{read.Chains.Aggregate(0UL, (sum, chain) => chain.Rules.Aggregate(sum + chain.PolicyPackets, (s, rule) => s + rule.Packets))} packets";

    /// <summary>Reads until all nodes answer for the same generation: while they switch, for a moment they do not.</summary>
    private async Task<ReadCountersResponse> ReadAsync(CounterSelection selection, ServerCallContext context)
    {
        for (var attempt = 0; ; attempt++)
        {
            var failures = new RepeatedField<NodeFailure>();
            var read = await cluster.Named(selection.Node, context)
                .AskAsync(node => node.CountersAsync(selection, zero: false, context.CancellationToken), failures).ConfigureAwait(false);
            if (attempt == Tries || read.All(r => r.Answer.Generation == read[0].Answer.Generation)) return Sum(read, failures);
            await Task.Delay(Pause, context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Zeroes each node once. Where they are at different generations, what is not in the latest is left out of the answer.</summary>
    private async Task<ReadCountersResponse> ZeroAsync(CounterSelection selection, ServerCallContext context)
    {
        var failures = new RepeatedField<NodeFailure>();
        var read = await cluster.Named(selection.Node, context)
            .AskAsync(node => node.CountersAsync(selection, zero: true, context.CancellationToken), failures).ConfigureAwait(false);
        return Sum(read, failures);
    }

    /// <summary>The sum over the nodes that have the latest generation in force; the others are named.</summary>
    private static ReadCountersResponse Sum(IReadOnlyList<(IControlledNode Node, ReadCountersResponse Counters)> nodes, RepeatedField<NodeFailure> failures)
    {
        var latest = nodes.Max(n => n.Counters.Generation);
        var sum = nodes.First(n => n.Counters.Generation == latest).Counters;
        sum.Failures.Add(failures);
        foreach (var (node, counters) in nodes)
        {
            if (ReferenceEquals(counters, sum)) continue;
            if (counters.Generation != latest)
                sum.Failures.Add(new NodeFailure { Node = node.Name, Reason = $"generation {counters.Generation} is in force there, and not {latest}" });
            else if (!TryAdd(sum, counters))
                sum.Failures.Add(new NodeFailure { Node = node.Name, Reason = $"it has other rules in force as generation {latest}" });
        }
        return sum;
    }

    private static bool TryAdd(ReadCountersResponse sum, ReadCountersResponse node)
    {
        var isSame = sum.Chains.Select(Shape).SequenceEqual(node.Chains.Select(Shape))
            && sum.Chains.SelectMany(c => c.Rules).Select(r => r.Rule).SequenceEqual(node.Chains.SelectMany(c => c.Rules).Select(r => r.Rule));
        if (!isSame) return false;
        foreach (var (to, from) in sum.Chains.Zip(node.Chains))
        {
            to.PolicyPackets += from.PolicyPackets;
            to.PolicyBytes += from.PolicyBytes;
            foreach (var (rule, counted) in to.Rules.Zip(from.Rules))
            {
                rule.Packets += counted.Packets;
                rule.Bytes += counted.Bytes;
            }
        }
        return true;
    }

    private static (Family, string, string, string, int) Shape(ChainCounters chain) => (chain.Family, chain.Table, chain.Chain, chain.Policy, chain.Rules.Count);
}
