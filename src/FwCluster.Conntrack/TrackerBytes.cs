using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>What a protocol's tracker remembers of a connection, as bytes that another node's table can take. The layout is the structs', little
/// endian, and belongs to the version of what nodes say to each other.</summary>
public static class TrackerBytes
{
    /// <summary>Length for TCP and SCTP, bytes; the other protocols' trackers remember nothing here.</summary>
    public static int Length => Unsafe.SizeOf<TcpTracking>();

    /// <summary>Length for one protocol, bytes.</summary>
    public static int LengthOf(byte protocol) => protocol is IpProtocol.Tcp or IpProtocol.Sctp ? Length : 0;

    /// <summary>Copies a connection's part out.</summary>
    /// <returns>The bytes written: <see cref="LengthOf"/> its protocol.</returns>
    public static int Write(in Connection connection, Span<byte> bytes)
    {
        var length = LengthOf(connection.Original.Protocol);
        MemoryMarshal.AsBytes(new ReadOnlySpan<TcpTracking>(in connection.Tcp))[..length].CopyTo(bytes);
        return length;
    }

    /// <summary>Copies a part in that came from elsewhere.</summary>
    /// <returns>False where no tracker could have written it; then the connection is as before.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ref Connection connection)
    {
        if (bytes.Length != LengthOf(connection.Original.Protocol)) return false;
        if (bytes.IsEmpty) return true;
        Connection read = default;
        bytes.CopyTo(MemoryMarshal.AsBytes(new Span<TcpTracking>(ref read.Tcp)));
        var isPossible = connection.Original.Protocol == IpProtocol.Sctp ? IsPossible(read.Sctp) : IsPossible(read.Tcp);
        if (isPossible) connection.Tcp = read.Tcp;
        return isPossible;
    }

    // Tables are indexed with these: a number beyond them must not come in.
    private static bool IsPossible(in TcpTracking tcp)
        => tcp.State <= TcpState.SynSent2 && tcp.LastDirection <= Direction.Reply && tcp.LastKind <= TcpSegmentKind.None
            && tcp.Original.Scale <= MaxScale && tcp.Reply.Scale <= MaxScale && tcp.LastScale <= MaxScale;

    private static bool IsPossible(in SctpTracking sctp) => sctp.State <= SctpState.HeartbeatSent && sctp.LastDirection <= Direction.Reply;

    private const byte MaxScale = 14; // RFC 7323, 2.3
}
