using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary><c>-j DSCP</c>: sets the upper six bits of the type of service (<c>dscp_tg</c> in xt_DSCP.c).</summary>
/// <param name="value">The code point, 0 to 63.</param>
public sealed class DscpTarget(byte value) : Target
{
    private const byte EcnMask = 3;

    /// <summary>The code point, 0 to 63.</summary>
    public byte Value { get; } = value;

    /// <inheritdoc/>
    public override string Name => "DSCP";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        packet.Headers.Tos = (byte)((packet.Headers.Tos & EcnMask) | Value << 2);
        return Verdict.Continue;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"DSCP set 0x{Value:x2}");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Word("--set-dscp").Word(TosWords.Hex(Value));
}

/// <summary>The language of <c>-j DSCP</c> (libxt_DSCP.c).</summary>
public sealed class DscpTargetExtension : TargetExtension
{
    private const byte MaxValue = 63;

    /// <inheritdoc/>
    public override string Name => "DSCP";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Tables = ["mangle"] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
        [new("set-dscp") { Excludes = ["set-dscp-class"] }, new("set-dscp-class")];

    /// <inheritdoc/>
    public override Target? Build(ExtensionOptions options)
    {
        if (options.Find("set-dscp") is { } value) return new DscpTarget((byte)options.Number(value.Word, 0, MaxValue));
        if (options.Find("set-dscp-class") is { } name) return new DscpTarget(TosWords.Class(options, name.Word));
        options.Error(options.Word, "DSCP: no value is given", "write --set-dscp VALUE or --set-dscp-class CLASS");
        return null;
    }
}
