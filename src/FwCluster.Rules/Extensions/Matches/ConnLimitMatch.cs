using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m connlimit</c>: how many connections an address or network has (<c>connlimit_mt</c> in xt_connlimit.c).</summary>
/// <param name="family">Whose addresses.</param>
/// <param name="limit">How many.</param>
/// <param name="isAbove">True for <c>--connlimit-above</c>: more than that match.</param>
/// <param name="prefix">Length of the prefix that makes a network.</param>
/// <param name="ofDestination">The destination's and not the source's.</param>
public sealed class ConnLimitMatch(IpFamily family, uint limit, bool isAbove, int prefix, bool ofDestination) : Match
{
    private readonly IpAddress _mask = IpAddress.PrefixMask(family, prefix);
    private readonly ConnectionCount _count = new();

    /// <inheritdoc/>
    public override string Name => "connlimit";

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var address = ofDestination ? packet.Headers.Destination : packet.Headers.Source;
        var connections = _count.Count(ref packet, address.And(_mask));
        if (connections == 0) hotDrop = true;
        return connections != 0 && connections > limit == isAbove;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory) => new ConnLimitMatch(family, limit, isAbove, prefix, ofDestination);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Word(isAbove ? "--connlimit-above" : "--connlimit-upto").Number(limit)
            .Word("--connlimit-mask").Number((ulong)prefix).Word(ofDestination ? "--connlimit-daddr" : "--connlimit-saddr");

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
        => writer.Words($"#conn {(ofDestination ? "dst" : "src")}/{prefix} {(isAbove ? ">" : "<=")} {limit}");
}
