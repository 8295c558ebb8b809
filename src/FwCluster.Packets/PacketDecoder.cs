using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FwCluster.Packets;

/// <summary>Reads the headers of an IP packet. Does not allocate; never throws for what a packet holds.</summary>
/// <remarks>One file a layer: this one IPv4, beside it IPv6, the transports, and the packet that an ICMP error quotes.</remarks>
public static partial class PacketDecoder
{
    private const int IPv4HeaderBytes = 20;

    /// <summary>
    /// Decodes the packet that begins at <paramref name="packet"/>[0].
    /// </summary>
    /// <param name="packet">The bytes at hand, from the IP header on; may be fewer than the packet had on the wire (a snap length), and
    /// may have link-layer padding behind it.</param>
    /// <param name="wireLength">Bytes the packet had on the wire from the IP header on, padding included.</param>
    /// <param name="headers">The headers; its content is defined only when the result is <see cref="DecodeResult.Ok"/>.</param>
    public static DecodeResult Decode(ReadOnlySpan<byte> packet, int wireLength, out PacketHeaders headers)
    {
        headers = default;
        if (packet.IsEmpty) return DecodeResult.NotIp;
        return (packet[0] >> 4) switch
        {
            4 => DecodeIPv4(packet, wireLength, ref headers),
            6 => DecodeIPv6(packet, wireLength, ref headers),
            _ => DecodeResult.NotIp,
        };
    }

    /// <summary>The checks of ip_rcv_core (net/ipv4/ip_input.c), then the fields.</summary>
    private static DecodeResult DecodeIPv4(ReadOnlySpan<byte> packet, int wireLength, ref PacketHeaders headers)
    {
        if (packet.Length < IPv4HeaderBytes) return DecodeResult.BadHeader;
        ref var start = ref MemoryMarshal.GetReference(packet);
        var headerBytes = (start & 0xf) * 4;
        if (headerBytes < IPv4HeaderBytes || packet.Length < headerBytes) return DecodeResult.BadHeader;
        if (!HeaderChecksumIsRight(ref start, headerBytes)) return DecodeResult.BadHeader;

        int totalLength = ReadUInt16(ref start, 2);
        if (wireLength < totalLength || totalLength < headerBytes) return DecodeResult.BadHeader;

        ReadIPv4Fields(ref start, headerBytes, ref headers);
        headers.TotalLength = totalLength;
        if (packet.Length > totalLength) packet = packet[..totalLength];
        if (headers.FragmentOffset == 0) DecodeTransport(packet, ref headers);
        return DecodeResult.Ok;
    }

    /// <summary>All fields but the total length. The caller has seen that the 20 bytes are there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadIPv4Fields(ref byte start, int headerBytes, ref PacketHeaders headers)
    {
        var fragment = ReadUInt16(ref start, 6);
        headers.Source = new IpAddress(0, ReadUInt32(ref start, 12));
        headers.Destination = new IpAddress(0, ReadUInt32(ref start, 16));
        headers.TransportOffset = headerBytes;
        headers.PayloadOffset = headerBytes;
        headers.FragmentId = ReadUInt16(ref start, 4);
        headers.FragmentOffset = (fragment & 0x1fff) * 8;
        headers.Family = IpFamily.IPv4;
        headers.Protocol = Unsafe.Add(ref start, 9);
        headers.Tos = Unsafe.Add(ref start, 1);
        headers.Ttl = Unsafe.Add(ref start, 8);
        // On the wire MF is bit 13 and DF bit 14; here they are bits 0 and 1, so one shift moves both.
        var traits = (NetworkTraits)((fragment >> 13) & 3);
        if (headerBytes != IPv4HeaderBytes) traits |= NetworkTraits.Options;
        headers.Traits = traits;
    }

    /// <summary>A header with its checksum in it sums to all ones (RFC 1071), in whatever byte order it is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HeaderChecksumIsRight(ref byte start, int headerBytes)
    {
        var first = Unsafe.ReadUnaligned<ulong>(ref start);
        var second = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8));
        var sum = (first & uint.MaxValue) + (first >> 32) + (second & uint.MaxValue) + (second >> 32)
            + Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 16));
        for (var offset = IPv4HeaderBytes; offset < headerBytes; offset += 4)
            sum += Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
        return Checksum.Fold(sum) == 0xffff;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort ReadUInt16(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ReadUInt32(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
