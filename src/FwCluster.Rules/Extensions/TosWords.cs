using System.Globalization;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions;

/// <summary>Type of service and DiffServ code points as rules name them: for the TOS and DSCP targets, and for the matches tos and dscp.</summary>
public static class TosWords
{
    // RFC 1349.
    private static readonly (string Name, byte Value)[] Names =
    [
        ("Minimize-Delay", 0x10), ("Maximize-Throughput", 0x08), ("Maximize-Reliability", 0x04), ("Minimize-Cost", 0x02),
        ("Normal-Service", 0x00),
    ];

    // RFC 2474, 2597, 3246.
    private static readonly (string Name, byte Value)[] Classes =
    [
        ("CS0", 0x00), ("CS1", 0x08), ("CS2", 0x10), ("CS3", 0x18), ("CS4", 0x20), ("CS5", 0x28), ("CS6", 0x30), ("CS7", 0x38), ("BE", 0x00),
        ("AF11", 0x0a), ("AF12", 0x0c), ("AF13", 0x0e), ("AF21", 0x12), ("AF22", 0x14), ("AF23", 0x16), ("AF31", 0x1a), ("AF32", 0x1c),
        ("AF33", 0x1e), ("AF41", 0x22), ("AF42", 0x24), ("AF43", 0x26), ("EF", 0x2e),
    ];

    /// <summary>Reads <c>value</c>, <c>value/mask</c> or a name of RFC 1349 (<c>XTTYPE_TOSMASK</c>).</summary>
    /// <param name="options">Where mistakes go.</param>
    /// <param name="word">The word.</param>
    /// <param name="nameMask">The mask that a name stands for.</param>
    public static (byte Value, byte Mask) Tos(ExtensionOptions options, Token word, byte nameMask)
    {
        foreach (var (name, value) in Names)
        {
            if (name.Equals(word.Text, StringComparison.OrdinalIgnoreCase)) return (value, nameMask);
        }
        if (word.Text.Length > 0 && char.IsAsciiLetter(word.Text[0]))
        {
            options.Error(word, $"{options.Name}: \"{word}\" is not a type of service",
                Nearest.Hint(word.Text, Names.Select(n => n.Name)) ?? "there are " + string.Join(", ", Names.Select(n => n.Name)));
            return default;
        }
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return ((byte)options.Number(word, 0, byte.MaxValue), byte.MaxValue);
        return ((byte)options.Number(word.Part(0, slash), 0, byte.MaxValue),
            (byte)options.Number(word.Part(slash + 1, word.Text.Length - slash - 1), 0, byte.MaxValue));
    }

    /// <summary>Reads a DiffServ class: <c>EF</c>, <c>BE</c>, <c>CSx</c>, <c>AFxx</c>.</summary>
    public static byte Class(ExtensionOptions options, Token word)
    {
        foreach (var (name, value) in Classes)
        {
            if (name.Equals(word.Text, StringComparison.OrdinalIgnoreCase)) return value;
        }
        options.Error(word, $"{options.Name}: \"{word}\" is not a DiffServ class", "there are EF, BE, CS0 to CS7 and AF11 to AF43");
        return 0;
    }

    /// <summary>A byte as rules write it: <c>0x0a</c>.</summary>
    public static string Hex(byte value) => "0x" + value.ToString("x2", CultureInfo.InvariantCulture);
}
