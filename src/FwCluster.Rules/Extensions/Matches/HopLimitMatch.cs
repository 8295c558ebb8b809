using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m ttl</c> and <c>-m hl</c>: time to live, hop limit (<c>ttl_mt</c> and <c>hl_mt6</c> in xt_hl.c).</summary>
/// <param name="name">ttl or hl.</param>
/// <param name="comparison">How it is compared.</param>
/// <param name="value">With what.</param>
public sealed class HopLimitMatch(string name, HopLimitComparison comparison, byte value) : Match
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => comparison switch
    {
        HopLimitComparison.Equal => packet.Headers.Ttl == value,
        HopLimitComparison.NotEqual => packet.Headers.Ttl != value,
        HopLimitComparison.Less => packet.Headers.Ttl < value,
        _ => packet.Headers.Ttl > value,
    };

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        var ending = comparison switch
        {
            HopLimitComparison.Less => "-lt",
            HopLimitComparison.Greater => "-gt",
            _ => "-eq",
        };
        writer.Option("--" + name + ending, comparison == HopLimitComparison.NotEqual).Number(value);
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        var sign = comparison switch
        {
            HopLimitComparison.Equal => "==",
            HopLimitComparison.NotEqual => "!=",
            HopLimitComparison.Less => "<",
            _ => ">",
        };
        writer.Words($"{name.ToUpperInvariant()} match {name.ToUpperInvariant()} {sign} {value}");
    }
}

/// <summary>How <see cref="HopLimitMatch"/> compares.</summary>
public enum HopLimitComparison : byte
{
    /// <summary><c>-eq</c>.</summary>
    Equal,

    /// <summary><c>! -eq</c>.</summary>
    NotEqual,

    /// <summary><c>-lt</c>.</summary>
    Less,

    /// <summary><c>-gt</c>.</summary>
    Greater,
}
