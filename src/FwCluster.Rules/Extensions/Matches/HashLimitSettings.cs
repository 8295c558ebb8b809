using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>What a <c>-m hashlimit</c> rule says (<c>struct hashlimit_cfg3</c>).</summary>
public sealed record HashLimitSettings
{
    /// <summary>Times of quiet after which a limit by bytes is forgotten, milliseconds: without and with a burst.</summary>
    internal const uint BytesExpire = 15_000;

    /// <inheritdoc cref="BytesExpire"/>
    internal const uint BytesBurstExpire = 60_000;

    /// <summary>What <c>--hashlimit-htable-gcinterval</c> is where it is not given, milliseconds.</summary>
    internal const uint DefaultCollectEvery = 1000;

    // XT_HASHLIMIT_BYTE_SHIFT: bytes are counted by sixteen.
    private const int ByteShift = 4;

    /// <summary>Name of the table.</summary>
    public required string Table { get; init; }

    /// <summary>What sets one limit apart from another.</summary>
    public HashLimitKeys Keys { get; init; }

    /// <summary>Bytes are limited and not packets.</summary>
    public bool OfBytes { get; init; }

    /// <summary>True for <c>--hashlimit-above</c>.</summary>
    public bool IsAbove { get; init; }

    /// <summary>Of packets: time between two, in millionths of a second. Of bytes: the cost of sixteen (<see cref="BytesToCost"/>).</summary>
    public ulong Average { get; init; }

    /// <summary>Of packets: how many at once. Of bytes: how many times the rate at once, 0 for no burst.</summary>
    public ulong Burst { get; init; }

    /// <summary>Buckets of the kernel's table; 0 for its own choice.</summary>
    public uint Size { get; init; }

    /// <summary>Limits in the table at once; 0 for eight a bucket.</summary>
    public uint Max { get; init; }

    /// <summary>How often the table is cleared of expired limits, milliseconds.</summary>
    public uint CollectEvery { get; init; } = DefaultCollectEvery;

    /// <summary>Quiet for so long, a limit is forgotten; milliseconds.</summary>
    public uint Expire { get; init; }

    /// <summary>Length of the prefix by which sources are told apart.</summary>
    public int SourcePrefix { get; init; }

    /// <summary>Length of the prefix by which destinations are told apart.</summary>
    public int DestinationPrefix { get; init; }

    /// <summary>The rate is measured, over <see cref="Interval"/>, and not enforced (<c>--hashlimit-rate-match</c>).</summary>
    public bool MatchesRate { get; init; }

    /// <summary>Seconds over which the rate is measured.</summary>
    public uint Interval { get; init; }

    /// <summary>The cost of a rate of bytes a second.</summary>
    internal static ulong BytesToCost(ulong bytes) => (ulong)uint.MaxValue / ((uint)(bytes >> ByteShift) + 1UL);

    /// <summary>The rate, in bytes a second, that a cost comes to.</summary>
    internal static ulong CostToBytes(ulong cost) => (cost == 0 ? uint.MaxValue : uint.MaxValue / cost) - 1 << ByteShift;

    /// <summary>Sixteens of bytes of a packet, begun ones included.</summary>
    internal static ulong Chunks(int length) => ((ulong)length >> ByteShift) + 1;

    /// <summary>Writes it as <c>hashlimit_mt_save</c> prints it.</summary>
    public void Write(RuleWriter writer, int addressBits)
    {
        writer.Word(IsAbove ? "--hashlimit-above" : "--hashlimit-upto").Word(RateText(Average, out var usualExpire));
        if (BurstText is { } burst) writer.Word("--hashlimit-burst").Word(burst);
        if (Keys != HashLimitKeys.None) writer.Word("--hashlimit-mode").Word(HashLimitMatchExtension.KeyNames(Keys, ','));
        writer.Word("--hashlimit-name").Word(Table);
        foreach (var (name, value) in Numbers(usualExpire, addressBits)) writer.Word("--hashlimit-" + name).Number(value);
        if (!MatchesRate) return;
        writer.Word("--hashlimit-rate-match");
        if (Interval != 1) writer.Word("--hashlimit-rate-interval").Number(Interval);
    }

    /// <summary>Writes it as <c>hashlimit_mt_print</c> prints it.</summary>
    public void List(ListingWriter writer, int addressBits)
    {
        var average = !OfBytes && Interval != 0 ? Average * Interval : Average;
        writer.Words($"limit: {(IsAbove ? "above" : "up to")} {RateText(average, out var usualExpire)}");
        if (BurstText is { } burst) writer.Words("burst " + burst);
        if (Keys != HashLimitKeys.None) writer.Words("mode " + HashLimitMatchExtension.KeyNames(Keys, '-'));
        foreach (var (name, value) in Numbers(usualExpire, addressBits)) writer.Words($"{name} {value}");
        if (!MatchesRate) return;
        writer.Words("rate-match");
        if (Interval != 1) writer.Words($"rate-interval {Interval}");
    }

    /// <summary>The numbers that are not what they are where nothing is said.</summary>
    private IEnumerable<(string Name, uint Value)> Numbers(uint usualExpire, int addressBits)
    {
        if (Size != 0) yield return ("htable-size", Size);
        if (Max != 0) yield return ("htable-max", Max);
        if (CollectEvery != DefaultCollectEvery) yield return ("htable-gcinterval", CollectEvery);
        if (Expire != usualExpire) yield return ("htable-expire", Expire);
        if (SourcePrefix != addressBits) yield return ("srcmask", (uint)SourcePrefix);
        if (DestinationPrefix != addressBits) yield return ("dstmask", (uint)DestinationPrefix);
    }

    /// <summary>The rate in its unit, and the expiry that is usual with it.</summary>
    private string RateText(ulong average, out uint usualExpire)
    {
        if (!OfBytes)
        {
            var text = PacketRate.Text(average, PacketRate.HashLimitScale, out var seconds);
            usualExpire = seconds * 1000;
            return text;
        }
        usualExpire = Burst == 0 ? BytesExpire : BytesBurstExpire;
        var rate = CostToBytes(average);
        // The largest unit in which the rate comes out as the same cost (print_bytes, whose mask has 32 bits).
        var unit = Array.FindIndex(ByteUnits, u => u.Bytes == 1 || rate >= u.Bytes && BytesToCost(rate & ~(u.Bytes - 1)) == average);
        return $"{rate / ByteUnits[unit].Bytes}{ByteUnits[unit].Name}b/s";
    }

    private string? BurstText
    {
        get
        {
            if (!OfBytes) return Burst.ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (Burst == 0) return null;
            var burst = CostToBytes(Average) * Burst;
            var unit = Array.FindIndex(ByteUnits, u => burst >= u.Bytes || u.Bytes == 1);
            return $"{burst / ByteUnits[unit].Bytes}{ByteUnits[unit].Name}b";
        }
    }

    private static readonly (string Name, uint Bytes)[] ByteUnits = [("m", 1 << 20), ("k", 1 << 10), ("", 1)];
}

/// <summary>What sets one limit of <c>-m hashlimit</c> apart from another, with the kernel's values.</summary>
[Flags]
public enum HashLimitKeys : byte
{
    /// <summary>Nothing: one limit for all.</summary>
    None = 0,

    /// <summary>The destination address.</summary>
    DestinationAddress = 1,

    /// <summary>The destination port.</summary>
    DestinationPort = 2,

    /// <summary>The source address.</summary>
    SourceAddress = 4,

    /// <summary>The source port.</summary>
    SourcePort = 8,
}
