using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>A change of a mark: the bits of the mask are cleared, then the value is XORed in. Every <c>--...-mark</c> comes down to this.</summary>
/// <param name="Value">The value.</param>
/// <param name="Mask">The mask.</param>
public readonly record struct MarkChange(uint Value, uint Mask)
{
    /// <summary>Options that are a change of a mark; each excludes the others.</summary>
    public static ImmutableArray<string> Options { get; } = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"];

    /// <summary>The mark after the change.</summary>
    public uint Apply(uint mark) => (mark & ~Mask) ^ Value;

    /// <summary>Reads one of <see cref="Options"/>.</summary>
    public static MarkChange Read(ExtensionOptions options, OptionUse use)
    {
        if (use.Spec.Name is "set-xmark" or "set-mark")
        {
            var (value, mask) = options.MarkMask(use.Word);
            return new(value, use.Spec.Name == "set-mark" ? value | mask : mask);
        }
        var bits = (uint)options.Number(use.Word, 0, uint.MaxValue);
        return use.Spec.Name switch
        {
            "and-mark" => new(0, ~bits),
            "or-mark" => new(bits, bits),
            _ => new(bits, 0),
        };
    }

    /// <summary>As <c>iptables -L</c> prints it: by the shortest operation that it comes to.</summary>
    public string Listing => this switch
    {
        { Value: 0 } => $"and {MarkPattern.Hex(~Mask)}",
        _ when Value == Mask => $"or {MarkPattern.Hex(Value)}",
        { Mask: 0 } => $"xor {MarkPattern.Hex(Value)}",
        { Mask: uint.MaxValue } => $"set {MarkPattern.Hex(Value)}",
        _ => $"xset {MarkPattern.Hex(Value)}/{MarkPattern.Hex(Mask)}",
    };

    /// <summary>Writes <c>--set-xmark 0x1/0xffffffff</c>.</summary>
    public void Write(RuleWriter writer) => writer.Word("--set-xmark").Word($"{MarkPattern.Hex(Value)}/{MarkPattern.Hex(Mask)}");
}

/// <summary><c>-j MARK</c>: changes the packet's mark (<c>mark_tg</c> in xt_mark.c).</summary>
/// <param name="change">The change.</param>
public sealed class MarkTarget(MarkChange change) : Target
{
    /// <summary>The change.</summary>
    public MarkChange Change { get; } = change;

    /// <inheritdoc/>
    public override string Name => "MARK";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        packet.Mark = Change.Apply(packet.Mark);
        return Verdict.Continue;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words("MARK").Words(Change.Listing);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => Change.Write(writer);
}

/// <summary>The language of <c>-j MARK</c> (libxt_MARK.c).</summary>
public sealed class MarkTargetExtension : TargetExtension
{
    /// <inheritdoc/>
    public override string Name => "MARK";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
        [.. MarkChange.Options.Select((name, i) => new OptionSpec(name) { Excludes = MarkChange.Options[(i + 1)..] })];

    /// <inheritdoc/>
    public override Target? Build(ExtensionOptions options)
    {
        if (options.Uses.Length > 0) return new MarkTarget(MarkChange.Read(options, options.Uses[0]));
        options.Error(options.Word, "MARK: no mark is given", "write --set-mark VALUE, for example");
        return null;
    }
}
