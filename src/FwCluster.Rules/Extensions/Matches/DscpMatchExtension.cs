using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m dscp</c> (libxt_dscp.c).</summary>
public sealed class DscpMatchExtension : MatchExtension
{
    // IANA "Differentiated Services Field Codepoints".
    private static readonly (string Name, byte Value)[] Classes =
    [
        ("CS0", 0), ("CS1", 8), ("CS2", 16), ("CS3", 24), ("CS4", 32), ("CS5", 40), ("CS6", 48), ("CS7", 56), ("BE", 0),
        ("AF11", 10), ("AF12", 12), ("AF13", 14), ("AF21", 18), ("AF22", 20), ("AF23", 22),
        ("AF31", 26), ("AF32", 28), ("AF33", 30), ("AF41", 34), ("AF42", 36), ("AF43", 38), ("EF", 46),
    ];

    /// <inheritdoc/>
    public override string Name => "dscp";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("dscp") { Invertible = true, Excludes = ["dscp-class"] },
        new("dscp-class") { Invertible = true, Excludes = ["dscp"] },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("dscp") is { } number) return new DscpMatch((byte)options.Number(number.Word, 0, 63), number.IsInverted);
        if (options.Find("dscp-class") is { } use) return new DscpMatch(Class(options, use.Word), use.IsInverted);
        options.Error(options.Word, "dscp: nothing to compare with", "write --dscp VALUE or --dscp-class CLASS");
        return null;
    }

    private static byte Class(ExtensionOptions options, Token word)
    {
        foreach (var (name, value) in Classes)
        {
            if (name.Equals(word.Text, StringComparison.OrdinalIgnoreCase)) return value;
        }
        options.Error(word, $"dscp: \"{word}\" is not a class", "there are " + string.Join(", ", Classes.Select(c => c.Name)));
        return 0;
    }
}
