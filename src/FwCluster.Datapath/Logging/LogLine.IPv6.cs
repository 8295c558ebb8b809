using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Datapath.Logging;

/// <content>IPv6, its extension headers, and ICMPv6: dump_ipv6_packet.</content>
public static partial class LogLine
{
    private const int IPv6Bytes = 40;
    private const int FragmentBytes = 8;

    /// <param name="line">Where it goes.</param>
    /// <param name="quoting">The packet.</param>
    /// <param name="start">Where the IPv6 header is: 0, or behind an ICMPv6 header that quotes it.</param>
    private static void WriteIPv6(ref LineWriter line, in Quoting quoting, int start)
    {
        if (!quoting.TryGet(start, IPv6Bytes, out var header))
        {
            line.Text("TRUNCATED"u8);
            return;
        }
        WriteIPv6Fields(ref line, header, start == 0 ? quoting.Tos : (byte)(BinaryPrimitives.ReadUInt16BigEndian(header) >> 4));
        var protocol = header[6];
        var offset = start + IPv6Bytes;
        if (!TryWriteExtensions(ref line, in quoting, ref protocol, ref offset, out var isLaterFragment)) return;
        if (WriteIPv6Transport(ref line, in quoting, protocol, start != 0, offset, isLaterFragment))
            WriteMark(ref line, in quoting, isQuoted: start != 0);
    }

    private static void WriteIPv6Fields(ref LineWriter line, ReadOnlySpan<byte> header, byte trafficClass)
    {
        line.Text("SRC="u8);
        line.IPv6(header[8..]);
        line.Text(" DST="u8);
        line.IPv6(header[24..]);
        line.Blank();
        line.Field("LEN="u8, BinaryPrimitives.ReadUInt16BigEndian(header[4..]) + (uint)IPv6Bytes);
        line.Field("TC="u8, trafficClass);
        line.Field("HOPLIMIT="u8, header[7]);
        line.Field("FLOWLBL="u8, BinaryPrimitives.ReadUInt32BigEndian(header) & 0xfffff);
    }

    /// <summary>Walks the extension headers, ESP too, which ends them.</summary>
    /// <returns>False where the line ends here.</returns>
    private static bool TryWriteExtensions(
        ref LineWriter line, in Quoting quoting, ref byte protocol, ref int offset, out bool isLaterFragment)
    {
        isLaterFragment = false;
        var withOptions = quoting.Has(LogFlags.IPOptions);
        while (protocol is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.Esp or IpProtocol.Ah
            or IpProtocol.DestinationOptions)
        {
            if (!quoting.TryGet(offset, 2, out var extension))
            {
                line.Text("TRUNCATED"u8);
                return false;
            }
            if (withOptions) line.Text("OPT ( "u8);
            var length = (extension[1] + 1) * 8;
            switch (protocol)
            {
                case IpProtocol.Fragment:
                    if (!TryWriteFragment(ref line, in quoting, offset, ref isLaterFragment)) return false;
                    length = FragmentBytes;
                    break;
                case IpProtocol.Ah:
                    if (withOptions && !TryWriteAh(ref line, in quoting, offset, isLaterFragment)) return false;
                    length = (extension[1] + 2) * 4;
                    break;
                case IpProtocol.Esp:
                    if (withOptions) WriteEsp(ref line, in quoting, offset, isLaterFragment);
                    return false;
                default:
                    if (!isLaterFragment) break;
                    if (withOptions) line.Text(")"u8);
                    return false;
            }
            if (withOptions) line.Text(") "u8);
            protocol = extension[0];
            offset += length;
        }
        return true;
    }

    private static bool TryWriteFragment(ref LineWriter line, in Quoting quoting, int offset, ref bool isLaterFragment)
    {
        line.Text("FRAG:"u8);
        if (!quoting.TryGet(offset, FragmentBytes, out var fragment))
        {
            line.Text("TRUNCATED "u8);
            return false;
        }
        var field = BinaryPrimitives.ReadUInt16BigEndian(fragment[2..]);
        line.Decimal((uint)field & 0xfff8);
        line.Blank();
        if ((field & 1) != 0) line.Text("INCOMPLETE "u8);
        line.Text("ID:"u8);
        line.Hex(BinaryPrimitives.ReadUInt32BigEndian(fragment[4..]), 8);
        line.Blank();
        if ((field & 0xfff8) != 0) isLaterFragment = true;
        return true;
    }

    private static bool TryWriteAh(ref LineWriter line, in Quoting quoting, int offset, bool isLaterFragment)
    {
        line.Text("AH "u8);
        if (isLaterFragment)
        {
            line.Text(")"u8);
            return false;
        }
        if (!quoting.TryGet(offset, AhBytes, out var ah))
        {
            Incomplete(ref line, in quoting, offset, ")"u8);
            return false;
        }
        WriteSpi(ref line, ah[4..], " "u8);
        return true;
    }

    private static void WriteEsp(ref LineWriter line, in Quoting quoting, int offset, bool isLaterFragment)
    {
        line.Text("ESP "u8);
        if (isLaterFragment) line.Text(")"u8);
        else if (quoting.TryGet(offset, EspBytes, out var esp)) WriteSpi(ref line, esp, " )"u8);
        else Incomplete(ref line, in quoting, offset, ")"u8);
    }

    private static bool WriteIPv6Transport(
        ref LineWriter line, in Quoting quoting, byte protocol, bool isQuoted, int offset, bool isLaterFragment)
    {
        switch (protocol)
        {
            case IpProtocol.Tcp:
                return WriteTcp(ref line, in quoting, offset, isLaterFragment);
            case IpProtocol.Udp or IpProtocol.UdpLite:
                return WriteUdp(ref line, in quoting, offset, isLaterFragment, protocol == IpProtocol.UdpLite);
            case IpProtocol.IcmpV6:
                line.Text("PROTO=ICMPv6 "u8);
                return isLaterFragment || WriteIcmpV6(ref line, in quoting, offset, isQuoted);
            default:
                line.Field("PROTO="u8, protocol);
                return true;
        }
    }

    private static bool WriteIcmpV6(ref LineWriter line, in Quoting quoting, int offset, bool isQuoted)
    {
        const byte packetTooBig = 2, parameterProblem = 4;
        if (!quoting.TryGet(offset, IcmpBytes, out var icmp))
        {
            Incomplete(ref line, in quoting, offset, default);
            return false;
        }
        var type = icmp[0];
        line.Field("TYPE="u8, type);
        line.Field("CODE="u8, icmp[1]);
        if (type is 128 or 129)
        {
            line.Field("ID="u8, BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]));
            line.Field("SEQ="u8, BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]));
        }
        if (type is < 1 or > 4) return true;

        var word = BinaryPrimitives.ReadUInt32BigEndian(icmp[4..]);
        if (type == parameterProblem)
        {
            line.Text("POINTER="u8);
            line.Hex(word, 8);
            line.Blank();
        }
        if (!isQuoted)
        {
            line.Text("["u8);
            WriteIPv6(ref line, in quoting, offset + IcmpBytes);
            line.Text("] "u8);
        }
        if (type == packetTooBig) line.Field("MTU="u8, word);
        return true;
    }
}
