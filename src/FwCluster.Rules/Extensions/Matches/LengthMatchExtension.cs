using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m length</c> (libxt_length.c).</summary>
public sealed class LengthMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "length";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("length") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("length") is { } use ? new LengthMatch(NumberRange.Read(options, use.Word, ushort.MaxValue), use.IsInverted) : null;
}
