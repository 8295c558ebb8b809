using System.Runtime.CompilerServices;
using FwCluster.Packets;

namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>
/// One field of a chain's rules: which rules leave it free, and for each interval of its values, which rules allow that interval. Sets of
/// rules are bits by position. The free ones are one dense set for all intervals; what an interval adds is sparse, a <em>row</em> of
/// <see cref="Rows"/>: first the summary (a bit for each word that is not zero), then those words. Immutable.
/// </summary>
internal sealed class Dimension(
    PacketField field, IntervalIndex index, int[] rowOfInterval, double meanRowWords, ulong[] rows, ulong[] free, ulong[] freeSummary)
{
    /// <summary>The rows, one behind the other.</summary>
    public readonly ulong[] Rows = rows;

    /// <summary>Rules that leave the field free.</summary>
    public readonly ulong[] Free = free;

    /// <summary>A bit for each word of <see cref="Free"/> that is not zero.</summary>
    public readonly ulong[] FreeSummary = freeSummary;

    /// <summary>The field.</summary>
    public readonly PacketField Field = field;

    /// <summary>How many words a row has, the mean over all intervals.</summary>
    public double MeanRowWords { get; } = meanRowWords;

    /// <summary>Where in <see cref="Rows"/> the row for this packet begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int RowOf(ref readonly PacketContext packet)
    {
        ref readonly var headers = ref packet.Headers;
        var interval = Field switch
        {
            PacketField.Protocol => index.Find(headers.Protocol),
            PacketField.Source => FindAddress(headers.Source, headers.Family),
            PacketField.Destination => FindAddress(headers.Destination, headers.Family),
            PacketField.SourcePort => index.Find(headers.SourcePort),
            PacketField.DestinationPort => index.Find(headers.DestinationPort),
            PacketField.In => index.Find(RuleConstraints.ByteOrder(packet.In.Value)),
            PacketField.Out => index.Find(RuleConstraints.ByteOrder(packet.Out.Value)),
            _ => index.Find((ulong)packet.Track.State),
        };
        return rowOfInterval[interval];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FindAddress(IpAddress address, IpFamily family)
        => family == IpFamily.IPv4 ? index.Find(address.Low) : index.Find(address.Value);
}
