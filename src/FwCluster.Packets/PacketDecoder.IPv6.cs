using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FwCluster.Packets;

/// <content>IPv6 and its extension headers.</content>
public static partial class PacketDecoder
{
    private const int IPv6HeaderBytes = 40;
    private const int FragmentHeaderBytes = 8;

    /// <summary>The checks of ip6_rcv_core (net/ipv6/ip6_input.c) that do not depend on the interface, then the fields.</summary>
    private static DecodeResult DecodeIPv6(ReadOnlySpan<byte> packet, int wireLength, ref PacketHeaders headers)
    {
        if (packet.Length < IPv6HeaderBytes) return DecodeResult.BadHeader;
        ReadIPv6Fields(ref MemoryMarshal.GetReference(packet), ref headers);
        if (!AddressesAreAllowed(in headers)) return DecodeResult.BadHeader;

        int payloadLength = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (payloadLength != 0 || headers.Protocol != IpProtocol.HopByHop)
        {
            headers.TotalLength = IPv6HeaderBytes + payloadLength;
            if (wireLength < headers.TotalLength) return DecodeResult.BadHeader;
        }
        else
        {
            // A jumbogram says its length in an option; without that option the kernel takes all that came.
            headers.TotalLength = wireLength;
        }

        if (headers.Protocol == IpProtocol.HopByHop)
        {
            if (!HopByHopOptions.AreAcceptable(packet, payloadLength == 0, ref headers.TotalLength)) return DecodeResult.BadHeader;
        }
        if (packet.Length > headers.TotalLength) packet = packet[..headers.TotalLength];
        if (SkipExtensionHeaders(packet, ref headers)) DecodeTransport(packet, ref headers);
        return DecodeResult.Ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadIPv6Fields(ref byte start, ref PacketHeaders headers)
    {
        headers.Source = new IpAddress(ReadUInt64(ref start, 8), ReadUInt64(ref start, 16));
        headers.Destination = new IpAddress(ReadUInt64(ref start, 24), ReadUInt64(ref start, 32));
        headers.TransportOffset = IPv6HeaderBytes;
        headers.PayloadOffset = IPv6HeaderBytes;
        headers.Family = IpFamily.IPv6;
        headers.Tos = (byte)(ReadUInt16(ref start, 0) >> 4);
        headers.Protocol = Unsafe.Add(ref start, 6);
        headers.Ttl = Unsafe.Add(ref start, 7);
    }

    /// <summary>A multicast address is no source, and no destination with the reserved scope 0 (RFC 4291 section 2.7).</summary>
    private static bool AddressesAreAllowed(in PacketHeaders headers)
        => (headers.Source.High >> 56) != 0xff && (headers.Destination.High >> 48 & 0xff0f) != 0xff00;

    /// <summary>
    /// Finds the transport behind the extension headers, as ipv6_skip_exthdr does for tracking.
    /// </summary>
    /// <returns>False where there is no transport header to decode: a later fragment, "no next header", or an extension header
    /// that the packet does not have whole (which makes it malformed).</returns>
    private static bool SkipExtensionHeaders(ReadOnlySpan<byte> packet, ref PacketHeaders headers)
    {
        var next = headers.Protocol;
        if (!IsExtensionHeader(next)) return true;

        var offset = IPv6HeaderBytes;
        var hasTransport = true;
        while (hasTransport && IsExtensionHeader(next) && next != IpProtocol.NoNextHeader)
        {
            // Of a fragment header the walk needs its offset field only.
            if (packet.Length - offset < (next == IpProtocol.Fragment ? 4 : 2))
            {
                headers.Transport = TransportHeader.Malformed;
                hasTransport = false;
                break;
            }
            headers.Traits |= NetworkTraits.ExtensionHeaders;
            var extension = packet[offset..];
            switch (next)
            {
                case IpProtocol.Fragment:
                    ReadFragmentHeader(extension, ref headers);
                    hasTransport = headers.FragmentOffset == 0;
                    offset += FragmentHeaderBytes;
                    break;
                case IpProtocol.Ah:
                    offset += (extension[1] + 2) * 4;
                    break;
                default:
                    offset += (extension[1] + 1) * 8;
                    break;
            }
            next = extension[0];
        }

        headers.Protocol = next;
        // An extension header may say that it is longer than the packet: then there is a protocol and no byte of it.
        headers.TransportOffset = Math.Min(offset, headers.TotalLength);
        headers.PayloadOffset = headers.TransportOffset;
        return hasTransport && next != IpProtocol.NoNextHeader;
    }

    private static void ReadFragmentHeader(ReadOnlySpan<byte> fragment, ref PacketHeaders headers)
    {
        var field = BinaryPrimitives.ReadUInt16BigEndian(fragment[2..]);
        headers.FragmentOffset = field & ~7;
        if (fragment.Length >= FragmentHeaderBytes) headers.FragmentId = BinaryPrimitives.ReadUInt32BigEndian(fragment[4..]);
        headers.Traits |= NetworkTraits.FragmentHeader | (NetworkTraits)(field & 1);
    }

    /// <summary>ipv6_ext_hdr (net/ipv6/exthdrs_core.c). Mobility and ESP are not among them: they end the walk.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsExtensionHeader(byte protocol)
        => protocol is IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.Fragment or IpProtocol.Ah or IpProtocol.NoNextHeader
            or IpProtocol.DestinationOptions;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadUInt64(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
