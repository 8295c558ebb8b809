using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="CountersService"/>.</summary>
internal sealed class CountersEndpoint(IControlledCluster cluster) : CountersService.CountersServiceBase
{
    private const int Tries = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public override Task<ReadCountersResponse> Read(ReadCountersRequest request, ServerCallContext context)
        => ReadAsync(request.Selection, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task<ReadAndZeroCountersResponse> ReadAndZero(ReadAndZeroCountersRequest request, ServerCallContext context)
    {
        context.Note($"read and zero counters {request.Selection}");
        var read = await ZeroAsync(request.Selection, context.CancellationToken).ConfigureAwait(false);
        var response = new ReadAndZeroCountersResponse { Generation = read.Generation };
        response.Chains.Add(read.Chains);
        context.Note($"read and zero counters {request.Selection}", Total(read), "0 packets");
        return response;
    }

    /// <inheritdoc/>
    public override async Task<ZeroCountersResponse> Zero(ZeroCountersRequest request, ServerCallContext context)
    {
        context.Note($"zero counters {request.Selection}");
        var read = await ZeroAsync(request.Selection, context.CancellationToken).ConfigureAwait(false);
        context.Note($"zero counters {request.Selection}", Total(read), "0 packets");
        return new ZeroCountersResponse { Chains = (uint)read.Chains.Count };
    }

    private static string Total(ReadCountersResponse read)
        => $"{read.Chains.Aggregate(0UL, (sum, chain) => chain.Rules.Aggregate(sum + chain.PolicyPackets, (s, rule) => s + rule.Packets))} packets";

    /// <summary>Reads until all nodes answer for the same generation: while they switch, for a moment they do not.</summary>
    private async Task<ReadCountersResponse> ReadAsync(CounterSelection? selection, CancellationToken stop)
    {
        var nodes = cluster.Named(selection?.Node ?? "").ToArray();
        for (var attempt = 0; ; attempt++)
        {
            var read = await Task.WhenAll(nodes.Select(node => node.CountersAsync(selection ?? new(), zero: false, stop))).ConfigureAwait(false);
            if (read.All(r => r.Generation == read[0].Generation)) return Sum(read);
            if (attempt == Tries) throw new RpcException(new Status(StatusCode.Unavailable, "the nodes are switching to another generation; try again"));
            await Task.Delay(Pause, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Zeroes each node once. Where they are at different generations, what is not in the latest is left out of the answer.</summary>
    private async Task<ReadCountersResponse> ZeroAsync(CounterSelection? selection, CancellationToken stop)
    {
        var read = await Task.WhenAll(
            cluster.Named(selection?.Node ?? "").Select(node => node.CountersAsync(selection ?? new(), zero: true, stop))).ConfigureAwait(false);
        var latest = read.Max(r => r.Generation);
        return Sum([.. read.Where(r => r.Generation == latest)]);
    }

    private static ReadCountersResponse Sum(ReadCountersResponse[] nodes)
    {
        var sum = nodes[0];
        foreach (var node in nodes.AsSpan(1))
        {
            for (var c = 0; c < sum.Chains.Count; c++)
            {
                var (to, from) = (sum.Chains[c], node.Chains[c]);
                to.PolicyPackets += from.PolicyPackets;
                to.PolicyBytes += from.PolicyBytes;
                for (var r = 0; r < to.Rules.Count; r++)
                {
                    to.Rules[r].Packets += from.Rules[r].Packets;
                    to.Rules[r].Bytes += from.Rules[r].Bytes;
                }
            }
        }
        return sum;
    }
}
