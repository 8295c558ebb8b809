using System.Buffers.Binary;

namespace FwCluster.Packets;

/// <summary>
/// The IPv6 hop-by-hop options that decide whether a packet lives, and how long a jumbogram is: ipv6_parse_hopopts and
/// ip6_parse_tlv (net/ipv6/exthdrs.c) with the kernel's default limits.
/// </summary>
internal static class HopByHopOptions
{
    private const int HeaderOffset = 40;

    /// <summary>Sysctl net.ipv6.max_hbh_opts_number: options in one header, padding not counted.</summary>
    private const int MaximumOptions = 8;

    /// <summary>Padding in a row that serves any alignment; more is a covert channel or an attack (RFC 4942 section 2.1.9.5).</summary>
    private const int MaximumPadding = 7;

    private const byte Pad1 = 0;
    private const byte PadN = 1;
    private const byte RouterAlert = 5;
    private const byte Calipso = 7;
    private const byte Ioam = 0x31;
    private const byte Jumbo = 0xc2;

    /// <summary>True where the kernel would go on with the packet. What the capture cut off is taken to be right.</summary>
    /// <param name="packet">The packet from its IPv6 header on.</param>
    /// <param name="payloadLengthIsZero">The IPv6 header leaves the length to the jumbo option.</param>
    /// <param name="totalLength">The packet's length; a jumbo option sets it.</param>
    public static bool AreAcceptable(ReadOnlySpan<byte> packet, bool payloadLengthIsZero, ref int totalLength)
    {
        if (totalLength < HeaderOffset + 8) return false;
        if (packet.Length < HeaderOffset + 2) return true;
        var end = HeaderOffset + (packet[HeaderOffset + 1] + 1) * 8;
        if (end > totalLength) return false;

        var padding = 0;
        var options = 0;
        for (var offset = HeaderOffset + 2; offset < end;)
        {
            if (offset >= packet.Length) return true;
            if (packet[offset] == Pad1)
            {
                if (++padding > MaximumPadding) return false;
                offset++;
                continue;
            }
            if (end - offset < 2) return false;
            if (offset + 1 >= packet.Length) return true;
            var length = packet[offset + 1] + 2;
            if (length > end - offset) return false;
            if (offset + length > packet.Length) return true;

            var option = packet.Slice(offset, length);
            if (option[0] == PadN)
            {
                padding += length;
                if (padding > MaximumPadding || option[2..].ContainsAnyExcept((byte)0)) return false;
            }
            else
            {
                if (++options > MaximumOptions || !IsAcceptable(option, offset, payloadLengthIsZero, ref totalLength)) return false;
                padding = 0;
            }
            offset += length;
        }
        return true;
    }

    private static bool IsAcceptable(ReadOnlySpan<byte> option, int offset, bool payloadLengthIsZero, ref int totalLength)
        => option[0] switch
        {
            RouterAlert => option.Length == 4,
            Calipso => option.Length >= 10 && option[6] * 4 + 10 <= option.Length,
            Ioam => (offset & 3) == 0,
            Jumbo => ReadJumbo(option, offset, payloadLengthIsZero, ref totalLength),
            // The two high bits say what a node does that does not know the option (RFC 8200 section 4.2): 00 is "skip over".
            _ => option[0] >> 6 == 0,
        };

    private static bool ReadJumbo(ReadOnlySpan<byte> option, int offset, bool payloadLengthIsZero, ref int totalLength)
    {
        if (option.Length != 6 || (offset & 3) != 2 || !payloadLengthIsZero) return false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(option[2..]);
        if (length <= ushort.MaxValue || length > (uint)(totalLength - HeaderOffset)) return false;
        totalLength = HeaderOffset + (int)length;
        return true;
    }
}
