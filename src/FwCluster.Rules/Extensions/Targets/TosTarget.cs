using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary><c>-j TOS</c>: the bits of the mask are cleared, then the value is XORed in (<c>tos_tg</c> in xt_DSCP.c).</summary>
/// <param name="value">The value.</param>
/// <param name="mask">The mask.</param>
public sealed class TosTarget(byte value, byte mask) : Target
{
    /// <summary>The value.</summary>
    public byte Value { get; } = value;

    /// <summary>The mask.</summary>
    public byte Mask { get; } = mask;

    /// <inheritdoc/>
    public override string Name => "TOS";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        packet.Headers.Tos = (byte)((packet.Headers.Tos & ~Mask) ^ Value);
        return Verdict.Continue;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"TOS set 0x{Value:x2}/0x{Mask:x2}");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Word("--set-tos").Word($"{TosWords.Hex(Value)}/{TosWords.Hex(Mask)}");
}

/// <summary>The language of <c>-j TOS</c> (libxt_TOS.c, revision 1).</summary>
public sealed class TosTargetExtension : TargetExtension
{
    // A name leaves the upper two bits of the precedence alone.
    private const byte NameMask = 0x3f;

    private static readonly ImmutableArray<string> Ways = ["set-tos", "and-tos", "or-tos", "xor-tos"];

    /// <inheritdoc/>
    public override string Name => "TOS";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Tables = ["mangle"] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
        [.. Ways.Select((name, i) => new OptionSpec(name) { Excludes = Ways[(i + 1)..] })];

    /// <inheritdoc/>
    public override Target? Build(ExtensionOptions options)
    {
        if (options.Uses.Length == 0)
        {
            options.Error(options.Word, "TOS: no value is given", "write --set-tos VALUE, for example");
            return null;
        }
        var use = options.Uses[0];
        if (use.Spec.Name == "set-tos")
        {
            var (value, mask) = TosWords.Tos(options, use.Word, NameMask);
            return new TosTarget(value, mask);
        }
        var bits = (byte)options.Number(use.Word, 0, byte.MaxValue);
        return use.Spec.Name switch
        {
            "and-tos" => new TosTarget(0, (byte)~bits),
            "or-tos" => new TosTarget(bits, bits),
            _ => new TosTarget(bits, 0),
        };
    }
}
