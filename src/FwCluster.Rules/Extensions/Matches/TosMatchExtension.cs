using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m tos</c> (libxt_tos.c).</summary>
public sealed class TosMatchExtension : MatchExtension
{
    // A name means the five bits that it was made for, and the one above (tos_mt_opts in libxt_tos.c).
    private const byte NameMask = 0x3f;

    private static readonly (string Name, byte Value)[] Names =
    [
        ("Minimize-Delay", 0x10), ("Maximize-Throughput", 0x08), ("Maximize-Reliability", 0x04), ("Minimize-Cost", 0x02),
        ("Normal-Service", 0x00),
    ];

    /// <inheritdoc/>
    public override string Name => "tos";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("tos") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("tos") is not { } use) return null;
        foreach (var (name, value) in Names)
        {
            if (name.Equals(use.Word.Text, StringComparison.OrdinalIgnoreCase)) return new TosMatch(value, NameMask, use.IsInverted);
        }
        var slash = use.Word.Text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            if (ExtensionOptions.TryNumber(use.Word.Text, out var number) && number <= byte.MaxValue)
                return new TosMatch((byte)number, byte.MaxValue, use.IsInverted);
            options.Error(use.Word, $"tos: \"{use.Word}\" is not a type of service",
                "write a number from 0 to 255, VALUE/MASK, or one of " + string.Join(", ", Names.Select(n => n.Name)));
            return null;
        }
        return new TosMatch(
            (byte)options.Number(use.Word.Part(0, slash), 0, byte.MaxValue),
            (byte)options.Number(use.Word.Part(slash + 1, use.Word.Text.Length - slash - 1), 0, byte.MaxValue), use.IsInverted);
    }
}
