using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m set</c> (libxt_set.c, revision 4).</summary>
public sealed class SetMatchExtension : MatchExtension
{
    private const int MaxDimensions = 6;
    private const string NoCounters = "sets do not count packets here";

    /// <inheritdoc/>
    public override string Name => "set";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("match-set", 2) { Aliases = ["set"], Invertible = true, Required = true },
        new("return-nomatch", 0),
        new("update-counters", 0) { Invertible = true },
        new("update-subcounters", 0) { Invertible = true },
        new("packets-eq") { Invertible = true, Unsupported = NoCounters },
        new("packets-lt") { Unsupported = NoCounters },
        new("packets-gt") { Unsupported = NoCounters },
        new("bytes-eq") { Invertible = true, Unsupported = NoCounters },
        new("bytes-lt") { Unsupported = NoCounters },
        new("bytes-gt") { Unsupported = NoCounters },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("match-set") is not { } use) return null;
        var (sides, dimensions) = ReadSides(options, use.Words[1]);
        var name = use.Words[0];
        var sets = options.Rule.Settings.Sets;
        if (sets.Find(name.Text) is not { } set)
        {
            options.Error(name, $"set: there is no set \"{name}\"",
                Nearest.Hint(name.Text, sets.Names) ?? "give the sets, as ipset save writes them, together with the rules");
            return null;
        }
        if (set.Family != IpFamily.None && set.Family != options.Rule.Family)
        {
            options.Error(name, $"set: \"{name}\" holds {AddressWords.Name(set.Family)} addresses, and this is an "
                + $"{AddressWords.Name(options.Rule.Family)} rule");
        }
        return new SetMatch
        {
            Set = set,
            IsInverted = use.IsInverted,
            Dimensions = dimensions,
            SourceBits = sides,
            ReturnsNomatch = options.Has("return-nomatch"),
            SkipsCounters = options.Find("update-counters")?.IsInverted ?? false,
            SkipsSubcounters = options.Find("update-subcounters")?.IsInverted ?? false,
        };
    }

    private static (byte SourceBits, int Dimensions) ReadSides(ExtensionOptions options, Token word)
    {
        byte sources = 0;
        var dimensions = 0;
        foreach (var part in ExtensionOptions.List(word))
        {
            if (dimensions == MaxDimensions)
            {
                options.Error(part, $"set: at most {MaxDimensions} of src and dst are possible");
                break;
            }
            if (part.Text.StartsWith("src", StringComparison.Ordinal)) sources |= (byte)(1 << dimensions);
            else if (!part.Text.StartsWith("dst", StringComparison.Ordinal))
                options.Error(part, $"set: \"{part}\" is neither src nor dst", "write one for each part of the set's elements, like src,dst");
            dimensions++;
        }
        return (sources, dimensions);
    }
}
