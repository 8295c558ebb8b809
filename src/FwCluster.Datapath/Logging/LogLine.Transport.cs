using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Datapath.Logging;

/// <content>The transports that both families have in common.</content>
public static partial class LogLine
{
    private const int TcpBytes = 20;
    private const int UdpBytes = 8;
    private const int AhBytes = 12;
    private const int EspBytes = 8;

    /// <summary>nf_log_dump_tcp_header.</summary>
    /// <returns>False where the line ends here.</returns>
    private static bool WriteTcp(ref LineWriter line, in Quoting quoting, int offset, bool isLaterFragment)
    {
        line.Text("PROTO=TCP "u8);
        if (isLaterFragment) return true;
        if (!quoting.TryGet(offset, TcpBytes, out var tcp))
        {
            Incomplete(ref line, in quoting, offset, default);
            return false;
        }
        WritePorts(ref line, tcp);
        if (quoting.Has(LogFlags.TcpSequence))
        {
            line.Field("SEQ="u8, BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]));
            line.Field("ACK="u8, BinaryPrimitives.ReadUInt32BigEndian(tcp[8..]));
        }
        line.Field("WINDOW="u8, BinaryPrimitives.ReadUInt16BigEndian(tcp[14..]));
        line.Text("RES=0x"u8);
        line.Hex((uint)(tcp[12] & 0xe) << 2, 2);
        line.Blank();
        // Since Linux 6.18 the last of the reserved bits is a flag: accurate ECN (RFC 9768).
        if ((tcp[12] & 1) != 0) line.Text("AE "u8);
        WriteFlags(ref line, (TcpFlags)tcp[13]);
        line.Field("URGP="u8, BinaryPrimitives.ReadUInt16BigEndian(tcp[18..]));

        var optionBytes = (tcp[12] >> 4) * 4 - TcpBytes;
        if (!quoting.Has(LogFlags.TcpOptions) || optionBytes <= 0) return true;
        if (!quoting.TryGet(offset + TcpBytes, optionBytes, out var options))
        {
            line.Text("OPT (TRUNCATED)"u8);
            return false;
        }
        WriteOptionBytes(ref line, options);
        return true;
    }

    private static void WriteFlags(ref LineWriter line, TcpFlags flags)
    {
        if ((flags & TcpFlags.Cwr) != 0) line.Text("CWR "u8);
        if ((flags & TcpFlags.Ece) != 0) line.Text("ECE "u8);
        if ((flags & TcpFlags.Urg) != 0) line.Text("URG "u8);
        if ((flags & TcpFlags.Ack) != 0) line.Text("ACK "u8);
        if ((flags & TcpFlags.Psh) != 0) line.Text("PSH "u8);
        if ((flags & TcpFlags.Rst) != 0) line.Text("RST "u8);
        if ((flags & TcpFlags.Syn) != 0) line.Text("SYN "u8);
        if ((flags & TcpFlags.Fin) != 0) line.Text("FIN "u8);
    }

    /// <summary>nf_log_dump_udp_header, for UDP and UDP-Lite.</summary>
    /// <returns>False where the line ends here.</returns>
    private static bool WriteUdp(ref LineWriter line, in Quoting quoting, int offset, bool isLaterFragment, bool isLite)
    {
        line.Text(isLite ? "PROTO=UDPLITE "u8 : "PROTO=UDP "u8);
        if (isLaterFragment) return true;
        if (!quoting.TryGet(offset, UdpBytes, out var udp))
        {
            Incomplete(ref line, in quoting, offset, default);
            return false;
        }
        WritePorts(ref line, udp);
        line.Field("LEN="u8, BinaryPrimitives.ReadUInt16BigEndian(udp[4..]));
        return true;
    }

    private static void WritePorts(ref LineWriter line, ReadOnlySpan<byte> transport)
    {
        line.Field("SPT="u8, BinaryPrimitives.ReadUInt16BigEndian(transport));
        line.Field("DPT="u8, BinaryPrimitives.ReadUInt16BigEndian(transport[2..]));
    }

    private static void WriteSpi(ref LineWriter line, ReadOnlySpan<byte> spi, ReadOnlySpan<byte> end)
    {
        line.Text("SPI=0x"u8);
        line.Hex(BinaryPrimitives.ReadUInt32BigEndian(spi), 1);
        line.Text(end);
    }

    private static void WriteOptionBytes(ref LineWriter line, ReadOnlySpan<byte> options)
    {
        line.Text("OPT ("u8);
        line.Bytes(options);
        line.Text(") "u8);
    }
}
