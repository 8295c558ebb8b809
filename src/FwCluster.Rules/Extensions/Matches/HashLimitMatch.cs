using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m hashlimit</c>: a limit for each address, port or both (<c>hashlimit_mt</c> in xt_hashlimit.c).</summary>
/// <param name="settings">What the rule says.</param>
/// <param name="family">Whose addresses.</param>
public sealed class HashLimitMatch(HashLimitSettings settings, IpFamily family) : Match
{
    private HashLimitTable _table = new(settings, family);

    /// <inheritdoc/>
    public override string Name => "hashlimit";

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <summary>What the rule says.</summary>
    public HashLimitSettings Settings => settings;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        if (!_table.TryFind(ref packet, out var key))
        {
            hotDrop = true;
            return false;
        }
        return _table[key].Take(settings, packet.Headers.TotalLength) != settings.IsAbove;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory)
    {
        var bound = (HashLimitMatch)MemberwiseClone();
        bound._table = memory.Table(settings.Table, () => new HashLimitTable(settings, family));
        return bound;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => settings.Write(writer, family.AddressBits());

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => settings.List(writer, family.AddressBits());
}
