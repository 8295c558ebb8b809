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
        var (rate, burst, usualExpire) = OfBytes ? BytesWords() : PacketsWords();
        writer.Word(IsAbove ? "--hashlimit-above" : "--hashlimit-upto").Word(rate);
        if (burst is not null) writer.Word("--hashlimit-burst").Word(burst);
        if (Keys != HashLimitKeys.None) writer.Word("--hashlimit-mode").Word(HashLimitMatchExtension.KeyNames(Keys));
        writer.Word("--hashlimit-name").Word(Table);
        WriteUnless(writer, "--hashlimit-htable-size", Size, 0);
        WriteUnless(writer, "--hashlimit-htable-max", Max, 0);
        WriteUnless(writer, "--hashlimit-htable-gcinterval", CollectEvery, DefaultCollectEvery);
        WriteUnless(writer, "--hashlimit-htable-expire", Expire, usualExpire);
        WriteUnless(writer, "--hashlimit-srcmask", (uint)SourcePrefix, (uint)addressBits);
        WriteUnless(writer, "--hashlimit-dstmask", (uint)DestinationPrefix, (uint)addressBits);
        if (!MatchesRate) return;
        writer.Word("--hashlimit-rate-match");
        WriteUnless(writer, "--hashlimit-rate-interval", Interval, 1);
    }

    /// <summary>Writes it as <c>iptables -L</c> prints it (<c>hashlimit_mt_print</c>).</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="addressBits">Bits of an address: a prefix of that length is not written.</param>
    public void List(ListingWriter writer, int addressBits)
    {
        var (rate, burst, usualExpire) = OfBytes ? BytesWords() : PacketsWords();
        writer.Words(IsAbove ? "limit: above" : "limit: up to").Words(rate);
        if (burst is not null) writer.Words("burst").Words(burst);
        if (Keys != HashLimitKeys.None) writer.Words("mode").Words(HashLimitMatchExtension.KeyNames(Keys).Replace(',', '-'));
        ListUnless(writer, "htable-size", Size, 0);
        ListUnless(writer, "htable-max", Max, 0);
        ListUnless(writer, "htable-gcinterval", CollectEvery, DefaultCollectEvery);
        ListUnless(writer, "htable-expire", Expire, usualExpire);
        ListUnless(writer, "srcmask", (uint)SourcePrefix, (uint)addressBits);
        ListUnless(writer, "dstmask", (uint)DestinationPrefix, (uint)addressBits);
        if (!MatchesRate) return;
        writer.Words("rate-match");
        ListUnless(writer, "rate-interval", Interval, 1);
    }

    private static void WriteUnless(RuleWriter writer, string option, uint value, uint usual)
    {
        if (value != usual) writer.Word(option).Number(value);
    }

    private static void ListUnless(ListingWriter writer, string name, uint value, uint usual)
    {
        if (value != usual) writer.Words(name).Number(value);
    }

    /// <summary>The rate, the burst, and the time after which such a limit is usually forgotten, milliseconds.</summary>
    private (string Rate, string? Burst, uint UsualExpire) PacketsWords()
    {
        var rate = PacketRate.Text(Average, PacketRate.HashLimitScale, out var seconds);
        return (rate, Burst.ToString(System.Globalization.CultureInfo.InvariantCulture), seconds * 1000);
    }

    /// <inheritdoc cref="PacketsWords"/>
    private (string Rate, string? Burst, uint UsualExpire) BytesWords()
    {
        var rate = CostToBytes(Average);
        // The largest unit in which the rate comes out as the same cost (print_bytes, whose mask has 32 bits).
        var unit = Array.FindIndex(ByteUnits, u => rate >= u.Bytes && BytesToCost(rate & ~(u.Bytes - 1)) == Average);
        if (unit < 0) unit = ByteUnits.Length - 1;
        var rateWord = $"{rate / ByteUnits[unit].Bytes}{ByteUnits[unit].Name}b/s";
        if (Burst == 0) return (rateWord, null, BytesExpire);
        var burst = rate * Burst;
        unit = Array.FindIndex(ByteUnits, u => burst >= u.Bytes || u.Bytes == 1);
        return (rateWord, $"{burst / ByteUnits[unit].Bytes}{ByteUnits[unit].Name}b", BytesBurstExpire);
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
