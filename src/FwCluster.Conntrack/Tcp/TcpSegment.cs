using FwCluster.Packets;

namespace FwCluster.Conntrack.Tcp;

/// <summary>The facts of one segment that tracking uses.</summary>
internal readonly ref struct TcpSegment
{
    public readonly uint Sequence;
    public readonly uint Acknowledgment;

    /// <summary>Sequence number after the data, a SYN and a FIN counted as one each (<c>segment_seq_plus_len</c>).</summary>
    public readonly uint End;

    public readonly ushort Window;
    public readonly TcpFlags Flags;
    public readonly TcpSegmentKind Kind;

    /// <summary>Bytes of the IP packet.</summary>
    public readonly int Length;

    /// <summary>Option bytes, as many as were captured.</summary>
    public readonly ReadOnlySpan<byte> Options;

    public TcpSegment(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        const int fixedHeader = 20;
        Sequence = headers.TcpSequence;
        Acknowledgment = headers.TcpAcknowledgment;
        Flags = headers.TcpFlags;
        Window = headers.TcpWindow;
        Length = headers.TotalLength;
        Kind = TcpStateTable.KindOf(Flags);
        End = Sequence + (uint)headers.PayloadLength
            + (uint)((int)(Flags & TcpFlags.Syn) >> 1) + (uint)(Flags & TcpFlags.Fin);
        var from = headers.TransportOffset + fixedHeader;
        var to = Math.Min(headers.PayloadOffset, packet.Length);
        Options = from < to ? packet[from..to] : default;
    }

    public bool Has(TcpFlags flags) => (Flags & flags) != 0;
}
