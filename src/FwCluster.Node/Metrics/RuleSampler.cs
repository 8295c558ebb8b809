using FwCluster.Node.Live;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;

namespace FwCluster.Node.Metrics;

/// <summary>Reads the counters of rules and policies. Rules beyond the limit have no series; policies always have.</summary>
/// <param name="gateway">Whose rules.</param>
/// <param name="most">Rules of both families that are told.</param>
internal sealed class RuleSampler(Gateway gateway, int most)
{
    private readonly List<CompiledRuleset> _read = [];
    private int _told;

    /// <summary>The labels of what was read, each as one text; another list where the rules are others.</summary>
    public IReadOnlyList<string> Tags { get; private set; } = [];

    /// <summary>Reads them.</summary>
    public async Task<(IReadOnlyList<RuleSample> Samples, IReadOnlyList<(IpFamily Family, long Count)> Numbers)> ReadAsync()
    {
        var samples = new List<RuleSample>();
        var numbers = new List<(IpFamily, long)>();
        var read = new List<CompiledRuleset>();
        if (gateway.Lanes.Count == 0) return (samples, numbers); // it takes no packets
        _told = 0;
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            await gateway.ReadRules(family, (rules, counters) =>
            {
                read.Add(rules);
                Read(rules, counters, samples);
                numbers.Add((family, rules.Chains.Sum(chain => (long)chain.Rules.Length)));
                return true;
            }).ConfigureAwait(false);
        }
        if (!read.SequenceEqual(_read, ReferenceEqualityComparer.Instance))
        {
            _read.Clear();
            _read.AddRange(read);
            Tags = [.. samples.Select(sample => string.Join('\n', sample.Tags.Select(tag => $"{tag.Key}={tag.Value}")))];
        }
        return (samples, numbers);
    }

    private void Read(CompiledRuleset rules, RuleCounterSet counters, List<RuleSample> samples)
    {
        var family = rules.Family == IpFamily.IPv6 ? "ipv6" : "ipv4";
        for (var c = 0; c < rules.Chains.Length; c++)
        {
            var chain = rules.Chains[c];
            if (chain.Model.Hook is not null)
            {
                samples.Add(Sample(counters.Read(c, 0), isPolicy: true,
                    [new("family", family), new("table", chain.Table.Name()), new("chain", chain.Name), new("policy", chain.Model.Policy == Verdict.Drop ? "DROP" : "ACCEPT")]));
            }
            for (var r = 1; r <= chain.Rules.Length && _told < most; r++, _told++)
            {
                samples.Add(Sample(counters.Read(c, r), isPolicy: false,
                    [new("family", family), new("table", chain.Table.Name()), new("chain", chain.Name), new("position", r), new("comment", CommentOf(chain.Rules[r - 1]))]));
            }
        }
    }

    private static RuleSample Sample(RuleCounters counted, bool isPolicy, KeyValuePair<string, object?>[] tags) => new(tags, isPolicy, counted.Packets, counted.Bytes);

    private static string CommentOf(Rule rule) => rule.Matches.OfType<CommentMatch>().FirstOrDefault()?.Comment ?? "";
}
