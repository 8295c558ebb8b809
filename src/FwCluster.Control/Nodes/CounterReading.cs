using FwCluster.Api.V1;
using FwCluster.Datapath;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;
using Google.Protobuf.Collections;
using RuleCounters = FwCluster.Api.V1.RuleCounters;

namespace FwCluster.Control.Nodes;

/// <summary>Reads the counters of rules that several workers run, each with its own.</summary>
internal static class CounterReading
{
    /// <summary>Reads, and zeroes in the same step where asked to.</summary>
    /// <param name="workers">The same rules, as each worker runs them.</param>
    /// <param name="selection">The chains that are meant.</param>
    /// <param name="zero">True to zero.</param>
    /// <param name="chains">Where to.</param>
    public static void Read(ActiveRuleset[] workers, CounterSelection selection, bool zero, RepeatedField<ChainCounters> chains)
    {
        if (workers.Length == 0) return; // a node without the role capture
        var rules = workers[0].Rules;
        for (var c = 0; c < rules.Chains.Length; c++)
        {
            var chain = rules.Chains[c];
            if (selection.Table.Length > 0 && selection.Table != chain.Table.Name()) continue;
            if (selection.Chain.Length > 0 && selection.Chain != chain.Name) continue;
            var policy = Sum(workers, c, 0, zero);
            var counters = new ChainCounters
            {
                Family = ConnectionMessages.FamilyOf(rules.Family),
                Table = chain.Table.Name(),
                Chain = chain.Name,
                Policy = chain.Model.Hook is null ? "" : chain.Model.Policy == Verdict.Drop ? "DROP" : "ACCEPT",
                PolicyPackets = policy.Packets,
                PolicyBytes = policy.Bytes,
            };
            for (var r = 1; r <= chain.Rules.Length; r++)
            {
                var counted = Sum(workers, c, r, zero);
                counters.Rules.Add(new RuleCounters
                {
                    Position = (uint)r,
                    Packets = counted.Packets,
                    Bytes = counted.Bytes,
                    Rule = RulesetWriter.Write(chain.Name, chain.Rules[r - 1]),
                });
            }
            chains.Add(counters);
        }
    }

    private static (ulong Packets, ulong Bytes) Sum(ActiveRuleset[] workers, int chain, int position, bool zero)
    {
        var (packets, bytes) = (0UL, 0UL);
        foreach (var worker in workers)
        {
            var counted = zero ? worker.Counters.ReadAndZero(chain, position) : worker.Counters.Read(chain, position);
            packets += counted.Packets;
            bytes += counted.Bytes;
        }
        return (packets, bytes);
    }
}
