using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m hashlimit</c> (libxt_hashlimit.c, revision 3).</summary>
public sealed class HashLimitMatchExtension : MatchExtension
{
    private const uint DefaultBurst = 5;
    private const uint MostPacketsBurst = 1_000_000;
    private const int MaxNameLength = 254;

    // In the order in which print_mode prints them.
    private static readonly (string Name, HashLimitKeys Key)[] Keys =
    [
        ("srcip", HashLimitKeys.SourceAddress), ("srcport", HashLimitKeys.SourcePort),
        ("dstip", HashLimitKeys.DestinationAddress), ("dstport", HashLimitKeys.DestinationPort),
    ];

    /// <inheritdoc/>
    public override string Name => "hashlimit";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("hashlimit-upto") { Aliases = ["hashlimit"], Invertible = true, Excludes = ["hashlimit-above"] },
        new("hashlimit-above") { Invertible = true, Excludes = ["hashlimit-upto"] },
        new("hashlimit-srcmask"), new("hashlimit-dstmask"), new("hashlimit-burst"),
        new("hashlimit-htable-size"), new("hashlimit-htable-max"), new("hashlimit-htable-gcinterval"), new("hashlimit-htable-expire"),
        new("hashlimit-mode"),
        new("hashlimit-name") { Required = true },
        new("hashlimit-rate-match", 0), new("hashlimit-rate-interval"),
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if ((options.Find("hashlimit-upto") ?? options.Find("hashlimit-above")) is not { } limit)
        {
            options.Error(options.Word, "hashlimit: no rate is given", "write --hashlimit-upto or --hashlimit-above and a rate like 10/second");
            return null;
        }
        var bits = options.Rule.Family.AddressBits();
        var settings = new HashLimitSettings
        {
            Table = options.Find("hashlimit-name") is { } name ? TableName.Read(options, name.Word, MaxNameLength) : "",
            Keys = options.Find("hashlimit-mode") is { } mode ? ReadKeys(options, mode.Word) : HashLimitKeys.None,
            IsAbove = limit.Spec.Name == "hashlimit-above" != limit.IsInverted,
            Size = Number(options, "hashlimit-htable-size", 0, 0),
            Max = Number(options, "hashlimit-htable-max", 0, 0),
            CollectEvery = Number(options, "hashlimit-htable-gcinterval", 1, HashLimitSettings.DefaultCollectEvery),
            SourcePrefix = Prefix(options, "hashlimit-srcmask", bits),
            DestinationPrefix = Prefix(options, "hashlimit-dstmask", bits),
            MatchesRate = options.Has("hashlimit-rate-match"),
            Interval = Number(options, "hashlimit-rate-interval", 1, 0),
        };
        settings = limit.Word.Text.Contains("b/s", StringComparison.Ordinal)
            ? WithBytes(options, settings, limit.Word)
            : WithPackets(options, settings, limit.Word);
        return settings is null ? null : new HashLimitMatch(settings, options.Rule.Family);
    }

    /// <summary>Keys as rules write them.</summary>
    internal static string KeyNames(HashLimitKeys keys, char separator) => string.Join(separator, Keys.Where(k => (keys & k.Key) != 0).Select(k => k.Name));

    private static HashLimitSettings? WithPackets(ExtensionOptions options, HashLimitSettings settings, Token word)
    {
        var average = PacketRate.Read(options, word, PacketRate.HashLimitScale, out var unit);
        if (average == 0) return null;
        var burst = options.Find("hashlimit-burst") is { } use ? ReadBurst(options, use.Word) : DefaultBurst;
        if (burst > MostPacketsBurst)
            options.Error(options.Find("hashlimit-burst")!.Word, $"hashlimit: a burst has at most {MostPacketsBurst} packets");
        if (settings.MatchesRate)
        {
            average /= unit;
            if (average is 0 or > uint.MaxValue) options.Error(word, $"hashlimit: the rate \"{word}\" cannot be measured");
        }
        else if (HashLimitBucket.Credits(unchecked(average * burst)) < HashLimitBucket.Credits(average))
        {
            options.Error(word, "hashlimit: so many packets at so low a rate are more than the kernel can count",
                "use a smaller burst or a higher rate");
        }
        return settings with
        {
            Average = Math.Max(1, average),
            Burst = burst,
            Expire = Number(options, "hashlimit-htable-expire", 1, unit * 1000),
            Interval = settings.MatchesRate && settings.Interval == 0 ? unit : settings.Interval,
        };
    }

    private static HashLimitSettings? WithBytes(ExtensionOptions options, HashLimitSettings settings, Token word)
    {
        var number = word.Text[..word.Text.IndexOf("b/s", StringComparison.Ordinal)];
        if (!TryScaled(number, out var rate) || rate == 0 || !word.Text.EndsWith("b/s", StringComparison.Ordinal))
        {
            options.Error(word, $"hashlimit: \"{word}\" is not a rate", "write bytes a second like 500b/s, 20kb/s or 3mb/s");
            return null;
        }
        var average = HashLimitSettings.BytesToCost(rate);
        if (average == 0 || HashLimitBucket.ByteCost(average) == 0)
        {
            options.Error(word, $"hashlimit: the rate \"{word}\" is too high");
            return null;
        }
        var least = HashLimitSettings.CostToBytes(average);
        var burst = 0UL;
        if (options.Find("hashlimit-burst") is { } use)
        {
            burst = ReadBurst(options, use.Word);
            if (burst < least || least == 0)
            {
                options.Error(use.Word, "hashlimit: the burst is smaller than the rate", $"at least {Math.Max(least, 16)}b are needed");
                return null;
            }
            burst = (burst + least - 1) / least;
        }
        return settings with
        {
            OfBytes = true,
            Average = average,
            Burst = (uint)burst,
            Expire = Number(options, "hashlimit-htable-expire", 1,
                options.Has("hashlimit-burst") ? HashLimitSettings.BytesBurstExpire : HashLimitSettings.BytesExpire),
            Interval = settings.MatchesRate && settings.Interval == 0 ? 1 : settings.Interval,
        };
    }

    private static ulong ReadBurst(ExtensionOptions options, Token word)
    {
        if (TryScaled(word.Text.TrimEnd('b'), out var burst) && burst > 0) return burst;
        options.Error(word, $"hashlimit: \"{word}\" is not a burst", "write a number of packets, or of bytes like 500, 20kb or 3mb");
        return DefaultBurst;
    }

    // A number with k for 1024 or m for 1024 * 1024 behind it.
    private static bool TryScaled(string text, out ulong value)
    {
        var shift = text.EndsWith('k') ? 10 : text.EndsWith('m') ? 20 : 0;
        var digits = shift == 0 ? text : text[..^1];
        var valid = ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= ulong.MaxValue >> shift;
        value <<= shift;
        return valid;
    }

    private static HashLimitKeys ReadKeys(ExtensionOptions options, Token word)
    {
        var keys = HashLimitKeys.None;
        foreach (var part in word.Text.Split([',', '|'], StringSplitOptions.RemoveEmptyEntries))
        {
            var known = Array.FindIndex(Keys, k => k.Name == part);
            if (known < 0) options.Error(word, $"hashlimit: \"{part}\" is not a mode", "there are srcip, srcport, dstip and dstport");
            else keys |= Keys[known].Key;
        }
        return keys;
    }

    private static uint Number(ExtensionOptions options, string option, uint least, uint usual)
        => options.Find(option) is { } use ? (uint)options.Number(use.Word, least, uint.MaxValue) : usual;

    // A length, or a mask that is a prefix (xtopt_parse_plen).
    private static int Prefix(ExtensionOptions options, string option, int bits)
    {
        if (options.Find(option) is not { } use) return bits;
        if (!use.Word.Text.Contains('.', StringComparison.Ordinal) && !use.Word.Text.Contains(':', StringComparison.Ordinal))
            return (int)options.Number(use.Word, 0, (ulong)bits);
        var length = new MaskedAddress(default, options.Address(use.Word)).PrefixLength(options.Rule.Family);
        if (length < 0) options.Error(use.Word, $"hashlimit: the mask \"{use.Word}\" has a hole", $"write a length from 0 to {bits}");
        return Math.Max(0, length);
    }
}
