using FwCluster.Api.V1;

namespace FwCluster.Cli.Top;

/// <summary>What <c>fwctl top</c> shows: two readings, and what happened between them. With <c>--json</c> it is a line.</summary>
/// <param name="Time">When the later one was made.</param>
/// <param name="Seconds">The time between; 0 where there is one reading yet, and no rate.</param>
/// <param name="Generation">The generation of the rules.</param>
/// <param name="Sum">All nodes together.</param>
/// <param name="Nodes">Each node, by name.</param>
/// <param name="RulesOf">The node whose rules these are; absent for the sum over all.</param>
/// <param name="Rules">Rules and policies, those that were hit most lately first.</param>
/// <param name="Missing">Nodes whose numbers are missing, and why.</param>
internal sealed record TopSample(
    DateTimeOffset Time, double Seconds, ulong Generation, TopNumbers Sum, IReadOnlyList<TopNode> Nodes, string? RulesOf, IReadOnlyList<TopRule> Rules,
    IReadOnlyDictionary<string, string> Missing)
{
    private const string Accepted = "accepted";
    private const string Held = "held";

    /// <summary>Makes one of two readings.</summary>
    /// <param name="before">The earlier one, or null where there is none.</param>
    /// <param name="now">The later one.</param>
    /// <param name="rulesOf">The node whose rules were read; empty for all.</param>
    public static TopSample Of(TopReading? before, TopReading now, string rulesOf)
    {
        var seconds = before is null ? 0 : Math.Max(0.001, (now.Time - before.Time).TotalSeconds);
        var nodes = now.Nodes.Nodes.Select(node => new TopNode(
            node.Name, node.Health.ToString().ToLowerInvariant(), node.Problem.Length > 0 ? node.Problem : null, node.Shards, NumbersOf(node.Name, before, now, seconds))).ToList();
        return new TopSample(now.Time, Math.Round(seconds, 3), now.Counters.Generation, Add(nodes.Select(node => node.Numbers)), nodes,
            rulesOf.Length > 0 ? rulesOf : null, RulesIn(before, now, seconds),
            now.Failures.ToDictionary(failure => failure.Node, failure => failure.Reason));
    }

    private static TopNumbers NumbersOf(string node, TopReading? before, TopReading now, double seconds)
    {
        var created = new Count();
        foreach (var shard in now.Shards.Shards.Where(s => s.Node == node))
        {
            // A shard that has come from elsewhere begins to count anew: what it has counted until then is not of this time.
            var last = before?.Shards.Shards.FirstOrDefault(s => s.Node == node && s.Shard == shard.Shard);
            created.Add(shard.Inserted, last?.Inserted ?? shard.Inserted);
        }
        var packets = new Count();
        var drops = new SortedDictionary<string, Count>(StringComparer.Ordinal);
        Count Drop(string reason) => drops.TryGetValue(reason, out var count) ? count : drops[reason] = new Count();
        foreach (var port in now.Ports.Ports.Where(p => p.Node == node))
        {
            var last = before?.Ports.Ports.FirstOrDefault(p => p.Node == node && p.Name == port.Name);
            packets.Add(port.Packets, last?.Packets ?? port.Packets);
            if (port.Lost > 0) Drop("lost").Add(port.Lost, last?.Lost ?? port.Lost);
            foreach (var (fate, count) in port.Fates)
                if (fate is not (Accepted or Held))
                    Drop(fate).Add(count, last is null ? count : last.Fates.GetValueOrDefault(fate));
        }
        return new TopNumbers(
            now.Shards.Shards.Where(s => s.Node == node).Aggregate(0UL, (sum, shard) => sum + shard.Entries), created.Over(seconds), packets.Over(seconds),
            drops.ToDictionary(d => d.Key, d => d.Value.Over(seconds)));
    }

    private static TopNumbers Add(IEnumerable<TopNumbers> nodes)
    {
        var sum = new TopNumbers(0, default, default, new Dictionary<string, TopCount>());
        foreach (var node in nodes)
        {
            sum = new TopNumbers(sum.Connections + node.Connections, sum.New + node.New, sum.Packets + node.Packets,
                sum.Drops.Concat(node.Drops).GroupBy(d => d.Key).ToDictionary(d => d.Key, d => d.Aggregate(default(TopCount), (s, c) => s + c.Value)));
        }
        return sum;
    }

    private static List<TopRule> RulesIn(TopReading? before, TopReading now, double seconds)
    {
        var isSame = before is not null && before.Counters.Generation == now.Counters.Generation && before.Counters.Failures.Count == now.Counters.Failures.Count;
        var last = isSame ? before!.Counters.Chains.ToDictionary(c => (c.Family, c.Table, c.Chain)) : [];
        var rules = new List<TopRule>();
        foreach (var chain in now.Counters.Chains)
        {
            var earlier = last.GetValueOrDefault((chain.Family, chain.Table, chain.Chain));
            foreach (var rule in chain.Rules)
            {
                var was = earlier?.Rules.ElementAtOrDefault((int)rule.Position - 1);
                rules.Add(Rule(chain, (int)rule.Position, rule.Rule, rule.Packets, rule.Bytes, was?.Packets ?? rule.Packets, was?.Bytes ?? rule.Bytes));
            }
            if (chain.Policy.Length > 0)
                rules.Add(Rule(chain, 0, $"-P {chain.Chain} {chain.Policy}", chain.PolicyPackets, chain.PolicyBytes, earlier?.PolicyPackets ?? chain.PolicyPackets, earlier?.PolicyBytes ?? chain.PolicyBytes));
        }
        return [.. rules.OrderByDescending(r => r.Packets.PerSecond).ThenByDescending(r => r.Packets.Total)];

        TopRule Rule(ChainCounters chain, int position, string text, ulong packets, ulong bytes, ulong packetsBefore, ulong bytesBefore)
        {
            var (p, b) = (new Count(), new Count());
            p.Add(packets, packetsBefore);
            b.Add(bytes, bytesBefore);
            return new TopRule(chain.Family == Family.Ipv6 ? "ipv6" : "ipv4", chain.Table, chain.Chain, position, text, p.Over(seconds), b.Over(seconds));
        }
    }

    /// <summary>What was counted in all, and since the last reading. Counters that were zeroed meanwhile count from zero.</summary>
    private sealed class Count
    {
        private ulong _total;
        private ulong _news;

        public void Add(ulong now, ulong before)
        {
            _total += now;
            _news += now >= before ? now - before : now;
        }

        public TopCount Over(double seconds) => new(_total, seconds > 0 ? Math.Round(_news / seconds, 1) : 0);
    }
}

/// <summary>A node in a sample.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Health">How it is.</param>
/// <param name="Problem">Why it is not healthy; absent where it is.</param>
/// <param name="Shards">Shards it has.</param>
/// <param name="Numbers">What it counts.</param>
internal sealed record TopNode(string Name, string Health, string? Problem, uint Shards, TopNumbers Numbers);

/// <summary>What is counted of a node, or of all.</summary>
/// <param name="Connections">Connections there are.</param>
/// <param name="New">Connections that began.</param>
/// <param name="Packets">Packets that came.</param>
/// <param name="Drops">Packets that did not go on, by reason.</param>
internal sealed record TopNumbers(ulong Connections, TopCount New, TopCount Packets, IReadOnlyDictionary<string, TopCount> Drops)
{
    /// <summary>Packets that did not go on, for whatever reason.</summary>
    public TopCount Dropped => Drops.Values.Aggregate(default(TopCount), (sum, count) => sum + count);
}

/// <summary>A rule, or (position 0) a policy.</summary>
/// <param name="Family">ipv4 or ipv6.</param>
/// <param name="Table">Its table.</param>
/// <param name="Chain">Its chain.</param>
/// <param name="Position">Its position in the chain from 1; 0 for the policy.</param>
/// <param name="Rule">The rule as iptables-save prints it.</param>
/// <param name="Packets">Packets that it was hit by.</param>
/// <param name="Bytes">Their bytes.</param>
internal sealed record TopRule(string Family, string Table, string Chain, int Position, string Rule, TopCount Packets, TopCount Bytes);

/// <summary>A counter.</summary>
/// <param name="Total">What was counted in all.</param>
/// <param name="PerSecond">What was counted a second since the last reading.</param>
internal readonly record struct TopCount(ulong Total, double PerSecond)
{
    /// <summary>Both together.</summary>
    public static TopCount operator +(TopCount left, TopCount right) => new(left.Total + right.Total, Math.Round(left.PerSecond + right.PerSecond, 1));
}
