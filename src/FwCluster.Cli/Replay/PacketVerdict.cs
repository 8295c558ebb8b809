using System.Globalization;
using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Cli.Replay;

/// <summary>The words for what became of a packet: state, verdict, chain, rule; a dash where there is nothing to say.</summary>
/// <param name="State">NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED or <c>-</c>.</param>
/// <param name="Verdict">ACCEPT, DROP, REJECT or <c>-</c>.</param>
/// <param name="Chain">The chain that decided; with its table before it (<c>mangle:PREROUTING</c>) where that is not filter.</param>
/// <param name="Rule">The deciding rule's position in the chain, or <c>policy</c>.</param>
internal readonly record struct PacketVerdict(string State, string Verdict, string Chain, string Rule)
{
    private const string Nothing = "-";

    // One string a rule position, however many packets meet it.
    private static readonly string[] Positions = [.. Enumerable.Range(0, 1024).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Puts an outcome into words.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="ipv4">Chain names of the IPv4 rules.</param>
    /// <param name="ipv6">Chain names of the IPv6 rules.</param>
    public static PacketVerdict Of(in PacketOutcome outcome, ChainNames ipv4, ChainNames ipv6)
    {
        var state = outcome.State.Name();
        if (outcome.Fate == PacketFate.TrackingDropped) return new(state, "DROP", Nothing, Nothing);
        if (!outcome.IsDecidedByRules) return new(state, Nothing, Nothing, Nothing);
        var names = outcome.Family == IpFamily.IPv6 ? ipv6 : ipv4;
        var rule = outcome.Decision.Rule;
        return new(
            state,
            outcome.Fate switch
            {
                PacketFate.Accepted => "ACCEPT",
                PacketFate.Rejected => "REJECT",
                _ => "DROP",
            },
            names[outcome.Decision.Chain],
            rule == 0 ? "policy" : rule < Positions.Length ? Positions[rule] : rule.ToString(CultureInfo.InvariantCulture));
    }
}

/// <summary>The names of a ruleset's chains as packets are told by them.</summary>
internal sealed class ChainNames(CompiledRuleset rules)
{
    private readonly string[] _names =
        [.. rules.Chains.Select(chain => chain.Table == TableId.Filter ? chain.Name : $"{chain.Table.Name()}:{chain.Name}")];

    /// <summary>The name of a chain, by its index; a dash for none.</summary>
    public string this[int chain] => chain < 0 ? "-" : _names[chain];
}
