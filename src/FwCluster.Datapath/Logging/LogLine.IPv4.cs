using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Datapath.Logging;

/// <content>IPv4 and ICMP: dump_ipv4_packet.</content>
public static partial class LogLine
{
    private const int IPv4Bytes = 20;
    private const int IcmpBytes = 8;

    /// <param name="line">Where it goes.</param>
    /// <param name="quoting">The packet.</param>
    /// <param name="start">Where the IPv4 header is: 0, or behind an ICMP header that quotes it.</param>
    private static void WriteIPv4(ref LineWriter line, in Quoting quoting, int start)
    {
        if (!quoting.TryGet(start, IPv4Bytes, out var header))
        {
            line.Text("TRUNCATED"u8);
            return;
        }
        var headerBytes = (header[0] & 0xf) * 4;
        var isLaterFragment = (BinaryPrimitives.ReadUInt16BigEndian(header[6..]) & 0x1fff) != 0;
        WriteIPv4Fields(ref line, header, start == 0 ? quoting.Tos : header[1]);
        if (quoting.Has(LogFlags.IPOptions) && headerBytes > IPv4Bytes)
        {
            if (!quoting.TryGet(start + IPv4Bytes, headerBytes - IPv4Bytes, out var options))
            {
                line.Text("TRUNCATED"u8);
                return;
            }
            WriteOptionBytes(ref line, options);
        }
        if (WriteIPv4Transport(ref line, in quoting, header[9], start, start + headerBytes, isLaterFragment))
            WriteMark(ref line, in quoting, isQuoted: start != 0);
    }

    private static void WriteIPv4Fields(ref LineWriter line, ReadOnlySpan<byte> header, byte tos)
    {
        line.Text("SRC="u8);
        line.IPv4(header[12..]);
        line.Text(" DST="u8);
        line.IPv4(header[16..]);
        line.Blank();
        line.Field("LEN="u8, BinaryPrimitives.ReadUInt16BigEndian(header[2..]));
        line.Text("TOS=0x"u8);
        line.Hex((uint)tos & 0x1e, 2, upper: true);
        line.Text(" PREC=0x"u8);
        line.Hex((uint)tos & 0xe0, 2, upper: true);
        line.Blank();
        line.Field("TTL="u8, header[8]);
        line.Field("ID="u8, BinaryPrimitives.ReadUInt16BigEndian(header[4..]));
        var fragment = BinaryPrimitives.ReadUInt16BigEndian(header[6..]);
        // The reserved bit, which was once to say "congestion experienced".
        if ((fragment & 0x8000) != 0) line.Text("CE "u8);
        if ((fragment & 0x4000) != 0) line.Text("DF "u8);
        if ((fragment & 0x2000) != 0) line.Text("MF "u8);
        if ((fragment & 0x1fff) != 0) line.Field("FRAG:"u8, (uint)fragment & 0x1fff);
    }

    private static bool WriteIPv4Transport(
        ref LineWriter line, in Quoting quoting, byte protocol, int start, int offset, bool isLaterFragment)
    {
        switch (protocol)
        {
            case IpProtocol.Tcp:
                return WriteTcp(ref line, in quoting, offset, isLaterFragment);
            case IpProtocol.Udp or IpProtocol.UdpLite:
                return WriteUdp(ref line, in quoting, offset, isLaterFragment, protocol == IpProtocol.UdpLite);
            case IpProtocol.Icmp:
                line.Text("PROTO=ICMP "u8);
                if (!isLaterFragment) WriteIcmp(ref line, in quoting, offset, isQuoted: start != 0);
                break;
            case IpProtocol.Ah:
                // Of a later fragment, not even the protocol.
                if (!isLaterFragment) WriteSecurity(ref line, in quoting, "PROTO=AH "u8, offset, AhBytes, spiAt: 4);
                break;
            case IpProtocol.Esp:
                line.Text("PROTO=ESP "u8);
                if (!isLaterFragment) WriteSecurity(ref line, in quoting, default, offset, EspBytes, spiAt: 0);
                break;
            default:
                line.Field("PROTO="u8, protocol);
                break;
        }
        return true;
    }

    private static void WriteSecurity(
        ref LineWriter line, in Quoting quoting, ReadOnlySpan<byte> name, int offset, int headerBytes, int spiAt)
    {
        line.Text(name);
        if (quoting.TryGet(offset, headerBytes, out var header)) WriteSpi(ref line, header[spiAt..], " "u8);
        else Incomplete(ref line, in quoting, offset, default);
    }

    private static void WriteIcmp(ref LineWriter line, in Quoting quoting, int offset, bool isQuoted)
    {
        if (!quoting.TryGet(offset, IcmpBytes, out var icmp))
        {
            Incomplete(ref line, in quoting, offset, default);
            return;
        }
        var (type, code) = (icmp[0], icmp[1]);
        line.Field("TYPE="u8, type);
        line.Field("CODE="u8, code);
        if (quoting.Left(offset) < RequiredBytes(type))
        {
            Incomplete(ref line, in quoting, offset, default);
            return;
        }
        switch (type)
        {
            case 0 or 8:
                line.Field("ID="u8, BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]));
                line.Field("SEQ="u8, BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]));
                break;
            case 12:
                line.Field("PARAMETER="u8, icmp[4]);
                break;
            case 3 or 4 or 5 or 11:
                WriteIcmpError(ref line, in quoting, icmp, offset, isQuoted);
                break;
        }
    }

    private static void WriteIcmpError(ref LineWriter line, in Quoting quoting, ReadOnlySpan<byte> icmp, int offset, bool isQuoted)
    {
        const byte unreachable = 3, redirect = 5, fragmentationNeeded = 4;
        if (icmp[0] == redirect)
        {
            line.Text("GATEWAY="u8);
            line.IPv4(icmp[4..]);
            line.Blank();
        }
        // An error that an error quotes is not followed further.
        if (!isQuoted)
        {
            line.Text("["u8);
            WriteIPv4(ref line, in quoting, offset + IcmpBytes);
            line.Text("] "u8);
        }
        if (icmp[0] == unreachable && icmp[1] == fragmentationNeeded)
            line.Field("MTU="u8, BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]));
    }

    /// <summary>What a type must have: an error, the IPv4 header it is about.</summary>
    private static uint RequiredBytes(byte type) => type switch
    {
        0 or 8 => 4,
        3 or 4 or 5 or 11 or 12 => IcmpBytes + IPv4Bytes,
        13 or 14 => 20,
        17 or 18 => 12,
        _ => 0,
    };
}
