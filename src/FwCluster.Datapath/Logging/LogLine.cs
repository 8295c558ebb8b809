using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Logging;

/// <summary>
/// The line that the kernel writes for a LOG rule (nf_log_syslog.c), for tools that read kernel firewall logs. Pure; does not allocate;
/// never throws for what a packet holds.
/// </summary>
/// <remarks>One file a layer: this one what comes before the packet; beside it IPv4, IPv6, and the transports.</remarks>
public static partial class LogLine
{
    /// <summary>The longest line; the kernel cuts there too.</summary>
    public const int MaxBytes = 1016;

    private static readonly InterfaceName Loopback = InterfaceName.From("lo");

    /// <summary>Writes the line for a packet, without an end of line.</summary>
    /// <param name="packet">The packet as the rule met it. The Ethernet header is written where both of its addresses are known
    /// (<see cref="LinkDestination"/>).</param>
    /// <param name="request">Prefix and flags (<see cref="LogFlags"/>). The level goes with the line, not into it.</param>
    /// <param name="line">Where it goes; what does not fit into it, or into <see cref="MaxBytes"/>, is cut.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(in PacketContext packet, in LogRequest request, Span<byte> line)
    {
        var writer = new LineWriter(line[..Math.Min(line.Length, MaxBytes)]);
        var flags = (LogFlags)request.Flags;
        writer.Text(request.Prefix);
        writer.Text("IN="u8);
        writer.Name(packet.In.Value);
        writer.Text(" OUT="u8);
        writer.Name(packet.Out.Value);
        writer.Blank();
        if (!packet.In.IsEmpty) WriteLinkHeader(ref writer, in packet, flags);

        var quoting = new Quoting(packet.Packet, flags, packet.Headers.Tos, packet.Mark);
        if (packet.Headers.Family == IpFamily.IPv4) WriteIPv4(ref writer, in quoting, 0);
        else WriteIPv6(ref writer, in quoting, 0);
        return writer.Length;
    }

    /// <summary>dump_mac_header.</summary>
    private static void WriteLinkHeader(ref LineWriter line, in PacketContext packet, LogFlags flags)
    {
        ref readonly var link = ref packet.Link;
        // What goes over the loopback interface has an Ethernet header, of zeros, but is not Ethernet.
        var isLoopback = packet.In == Loopback;
        var destination = 0ul;
        var isKnown = isLoopback || link.HasSourceMac && LinkDestination.TryFind(in packet, out destination);
        if (isKnown && !isLoopback && (flags & LogFlags.MacDecode) != 0)
        {
            line.Text("MACSRC="u8);
            line.Mac(link.SourceMac);
            line.Text(" MACDST="u8);
            line.Mac(destination);
            line.Text(" MACPROTO="u8);
            line.Hex(link.EtherType, 4);
            line.Blank();
            return;
        }
        line.Text("MAC="u8);
        if (isKnown)
        {
            line.Mac(destination);
            line.Text(":"u8);
            line.Mac(isLoopback ? 0 : link.SourceMac);
            line.Text(":"u8);
            line.Hex((uint)link.EtherType >> 8, 2);
            line.Text(":"u8);
            line.Hex((byte)link.EtherType, 2);
        }
        line.Blank();
    }

    /// <summary>What all layers of a line ask for.</summary>
    private readonly ref struct Quoting(ReadOnlySpan<byte> packet, LogFlags flags, byte tos, uint mark)
    {
        /// <summary>The packet from its IP header on.</summary>
        public readonly ReadOnlySpan<byte> Packet = packet;

        public readonly LogFlags Flags = flags;

        /// <summary>The packet's own type of service, which rules may have changed.</summary>
        public readonly byte Tos = tos;

        public readonly uint Mark = mark;

        public readonly bool Has(LogFlags flag) => (Flags & flag) != 0;

        /// <summary>skb_header_pointer: false where the packet does not have all of it.</summary>
        public readonly bool TryGet(int offset, int length, out ReadOnlySpan<byte> bytes)
        {
            var there = offset <= Packet.Length && length <= Packet.Length - offset;
            bytes = there ? Packet.Slice(offset, length) : default;
            return there;
        }

        /// <summary>Bytes from an offset to the end. A header that lies about its length leads behind the end; the kernel prints that
        /// difference without a sign.</summary>
        public readonly uint Left(int offset) => unchecked((uint)(Packet.Length - offset));
    }

    private static void Incomplete(ref LineWriter line, in Quoting quoting, int offset, ReadOnlySpan<byte> end)
    {
        line.Text("INCOMPLETE ["u8);
        line.Decimal(quoting.Left(offset));
        line.Text(" bytes] "u8);
        line.Text(end);
    }

    private static void WriteMark(ref LineWriter line, in Quoting quoting, bool isQuoted)
    {
        if (isQuoted || quoting.Mark == 0) return;
        line.Text("MARK=0x"u8);
        line.Hex(quoting.Mark, 1);
        line.Blank();
    }
}
