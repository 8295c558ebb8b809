using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>A mark under a mask, as <c>--mark</c> takes it.</summary>
/// <param name="Value">The value; where it has bits that the mask hides, nothing matches.</param>
/// <param name="Mask">The mask.</param>
/// <param name="IsInverted">True for <c>!</c>.</param>
public readonly record struct MarkPattern(uint Value, uint Mask, bool IsInverted)
{
    /// <summary>Does the mark match?</summary>
    public bool Matches(uint mark) => ((mark & Mask) == Value) != IsInverted;

    /// <summary>As <c>iptables -L</c> prints it, without <c>!</c>: <c>0x1/0xff</c>.</summary>
    public string Listing => Mask == uint.MaxValue ? Hex(Value) : $"{Hex(Value)}/{Hex(Mask)}";

    /// <summary>Writes it as <c>--mark 0x1</c> or <c>--mark 0x1/0xff</c>.</summary>
    public void Write(RuleWriter writer) => writer.Option("--mark", IsInverted).Word(Listing);

    /// <summary>Lower-case hexadecimal with <c>0x</c>.</summary>
    public static string Hex(uint value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>Reads the option <c>--mark</c>.</summary>
    public static MarkPattern? Read(ExtensionOptions options)
    {
        if (options.Find("mark") is not { } use) return null;
        var (value, mask) = options.MarkMask(use.Word);
        return new(value, mask, use.IsInverted);
    }
}

/// <summary><c>-m mark</c>: the packet's mark (<c>mark_mt</c> in xt_mark.c).</summary>
/// <param name="pattern">The mark.</param>
public sealed class MarkMatch(MarkPattern pattern) : Match
{
    /// <summary>The mark.</summary>
    public MarkPattern Pattern { get; } = pattern;

    /// <inheritdoc/>
    public override string Name => "mark";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => Pattern.Matches(packet.Mark);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"mark match{(Pattern.IsInverted ? " !" : "")} {Pattern.Listing}");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => Pattern.Write(writer);
}

/// <summary>The language of <c>-m mark</c> (libxt_mark.c).</summary>
public sealed class MarkMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "mark";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("mark") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options) => MarkPattern.Read(options) is { } mark ? new MarkMatch(mark) : null;
}
