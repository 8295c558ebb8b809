using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FwCluster.Packets;

/// <summary>The Internet checksum (RFC 1071).</summary>
public static class Checksum
{
    /// <summary>The ones' complement sum of <paramref name="data"/>, folded to 16 bits, not complemented.</summary>
    public static ushort Sum(ReadOnlySpan<byte> data) => ToHostOrder(Fold(SumInMemoryOrder(data)));

    /// <summary>Checks the transport checksum (TCP, UDP, UDP-Lite, ICMP, ICMPv6; true for others and where the capture cut the packet short)
    /// of a packet that is not a fragment, or a first one of IPv6 that reassembly has passed on alone: the kernel checks that as it is. A UDP checksum of zero means "none" and is right, for tracking also in IPv6
    /// (udp_error in nf_conntrack_proto_udp.c).</summary>
    /// <remarks>The answer is tracking's. For UDP-Lite that is not RFC 3828's: udplite_error puts UDP's protocol number into the pseudo header,
    /// so that to the kernel a right UDP-Lite checksum is wrong, and the packet INVALID unless checksums are left alone.</remarks>
    public static bool TransportIsValid(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        if (headers.IsFragment && (headers.Family != IpFamily.IPv6 || headers.FragmentOffset != 0)) return true;
        if (!TryLocate(in headers, packet.Length, out var at)) return true;
        var transport = packet[headers.TransportOffset..headers.TotalLength];
        if (headers.Protocol == IpProtocol.Udp && transport[at] == 0 && transport[at + 1] == 0) return true;
        var pseudoProtocol = headers.Protocol == IpProtocol.UdpLite ? IpProtocol.Udp : headers.Protocol;
        return Fold(SumInMemoryOrder(transport[..Coverage(in headers, transport)]) + PseudoHeader(in headers, pseudoProtocol)) == 0xffff;
    }

    /// <summary>Writes the right transport checksum into the packet (TCP, UDP, UDP-Lite, ICMP, ICMPv6); leaves other packets, and those that
    /// are not there to their end, as they are.</summary>
    public static void WriteTransport(in PacketHeaders headers, Span<byte> packet)
    {
        if (headers.IsFragment || !TryLocate(in headers, packet.Length, out var at)) return;
        var transport = packet[headers.TransportOffset..headers.TotalLength];
        var field = transport.Slice(at, 2);
        field.Clear();
        var sum = (ushort)~Fold(
            SumInMemoryOrder(transport[..Coverage(in headers, transport)]) + PseudoHeader(in headers, headers.Protocol));
        // UDP sends a sum of zero as its other representation, all ones: zero stands for "none" (RFC 768).
        if (sum == 0 && headers.Protocol is IpProtocol.Udp or IpProtocol.UdpLite) sum = 0xffff;
        MemoryMarshal.Write(field, sum);
    }

    /// <summary>Writes the right header checksum into an IPv4 header.</summary>
    /// <param name="header">The header with its options.</param>
    public static void WriteIPv4Header(Span<byte> header)
    {
        var field = header.Slice(10, 2);
        field.Clear();
        MemoryMarshal.Write(field, (ushort)~Fold(SumInMemoryOrder(header)));
    }

    /// <summary>Adds the halves of a sum until 16 bits are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort Fold(ulong sum)
    {
        sum = (sum & uint.MaxValue) + (sum >> 32);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>Where the checksum field lies in the transport header; false where there is none to check or to write.</summary>
    private static bool TryLocate(in PacketHeaders headers, int captured, out int at)
    {
        at = headers.Protocol switch
        {
            IpProtocol.Tcp => 16,
            IpProtocol.Udp or IpProtocol.UdpLite => 6,
            IpProtocol.Icmp when headers.Family == IpFamily.IPv4 => 2,
            IpProtocol.IcmpV6 when headers.Family == IpFamily.IPv6 => 2,
            _ => -1,
        };
        return at >= 0 && captured >= headers.TotalLength && headers.TransportLength >= at + 2;
    }

    /// <summary>Bytes of the transport that the checksum covers: all, but what UDP-Lite says (RFC 3828 section 3.1; 0 is all).</summary>
    private static int Coverage(in PacketHeaders headers, ReadOnlySpan<byte> transport)
    {
        if (headers.Protocol != IpProtocol.UdpLite) return transport.Length;
        var coverage = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
        return coverage == 0 || coverage > transport.Length ? transport.Length : coverage;
    }

    private static ulong PseudoHeader(in PacketHeaders headers, byte protocol)
    {
        if (headers.Protocol == IpProtocol.Icmp) return 0;
        Span<byte> pseudo = stackalloc byte[40];
        var addressBytes = headers.Family.AddressBytes();
        headers.Source.Write(headers.Family, pseudo);
        headers.Destination.Write(headers.Family, pseudo[addressBytes..]);
        BinaryPrimitives.WriteUInt32BigEndian(pseudo[(2 * addressBytes)..], (uint)headers.TransportLength);
        BinaryPrimitives.WriteUInt32BigEndian(pseudo[(2 * addressBytes + 4)..], protocol);
        return SumInMemoryOrder(pseudo[..(2 * addressBytes + 8)]);
    }

    /// <summary>
    /// The sum of the data's 32-bit words as they lie in memory. The order of bytes does not matter to a ones' complement sum until
    /// the end (RFC 1071 section 2 B), nor does the width of the words. Good for 2^32 words before it could overflow.
    /// </summary>
    private static ulong SumInMemoryOrder(ReadOnlySpan<byte> data)
    {
        ulong sum = 0;
        if (Vector256.IsHardwareAccelerated && data.Length >= 2 * Vector256<byte>.Count)
        {
            var vectors = MemoryMarshal.Cast<byte, Vector256<uint>>(data);
            var (low, high) = (Vector256<ulong>.Zero, Vector256<ulong>.Zero);
            foreach (var vector in vectors)
            {
                var (left, right) = Vector256.Widen(vector);
                low += left;
                high += right;
            }
            sum = Vector256.Sum(low + high);
            data = data[(vectors.Length * Vector256<byte>.Count)..];
        }
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
        {
            var word = MemoryMarshal.Read<ulong>(data);
            sum += (word & uint.MaxValue) + (word >> 32);
        }
        if (data.IsEmpty) return sum;
        ulong rest = 0;
        data.CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref rest)));
        return sum + (rest & uint.MaxValue) + (rest >> 32);
    }

    private static ushort ToHostOrder(ushort value)
        => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
