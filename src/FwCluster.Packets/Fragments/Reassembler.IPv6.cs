using System.Buffers.Binary;

namespace FwCluster.Packets.Fragments;

/// <content>IPv6: nf_ct_frag6_gather, nf_ct_frag6_queue and nf_ct_frag6_reasm.</content>
public sealed partial class Reassembler
{
    private const int IPv6HeaderBytes = 40;
    private const int NextHeaderOffset = 6;
    private const int FragmentHeaderBytes = 8;

    private FragmentResult AddIPv6(
        in PacketHeaders headers, ReadOnlySpan<byte> packet, long now, in FragmentScope scope, out ReassembledPacket whole)
    {
        whole = default;
        // A jumbogram is no fragment (RFC 2675 section 3).
        if (BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) == 0) return FragmentResult.Untouched;
        var fragmentHeader = FindFragmentHeader(packet, out _);
        if (fragmentHeader > headers.TotalLength || TransportIsTruncated(in headers)) return FragmentResult.Untouched;
        if (fragmentHeader + FragmentHeaderBytes > packet.Length) return Fail(FragmentFailure.ShortHeader);

        var id = BinaryPrimitives.ReadUInt32BigEndian(packet[(fragmentHeader + 4)..]);
        var interfaceIndex = IsLocal(headers.Destination) ? scope.InterfaceIndex : 0;
        var key = new FragmentKey(headers.Source, headers.Destination, id, 0, User(in scope), interfaceIndex);
        if (_ipv6.FindOrCreate(in key, null, now) is not { } queue) return Fail(FragmentFailure.MemoryLimit);

        switch (PlaceIPv6(queue, in headers, packet, fragmentHeader, out var isAdded))
        {
            case null:
                return isAdded && queue.IsComplete ? FinishIPv6(queue, out whole) : FragmentResult.Held;
            case FragmentFailure.Alignment:
                Drop(_ipv6, queue, FragmentFailure.Alignment);
                return FragmentResult.Untouched;
            case FragmentFailure.Overlap:
                Drop(_ipv6, queue, FragmentFailure.Overlap);
                return FragmentResult.Dropped;
            case { } failure:
                return Fail(failure);
        }
    }

    /// <summary>nf_ct_frag6_queue: null where the fragment is placed or was there, else what is wrong with it.</summary>
    private FragmentFailure? PlaceIPv6(
        FragmentQueue queue, in PacketHeaders headers, ReadOnlySpan<byte> packet, int fragmentHeader, out bool isAdded)
    {
        isAdded = false;
        var field = BinaryPrimitives.ReadUInt16BigEndian(packet[(fragmentHeader + 2)..]);
        var dataOffset = fragmentHeader + FragmentHeaderBytes;
        var offset = field & ~7;
        var end = offset + headers.TotalLength - dataOffset;
        if (end > MaximumLength) return FragmentFailure.TooBig;

        if ((field & 1) == 0)
        {
            if (end < queue.DataLength || (queue.HasLast && end != queue.DataLength)) return FragmentFailure.EndMismatch;
            queue.HasLast = true;
            queue.DataLength = end;
        }
        else
        {
            if ((end & 7) != 0) return FragmentFailure.Alignment;
            if (end > queue.DataLength)
            {
                if (queue.HasLast) return FragmentFailure.EndMismatch;
                queue.DataLength = end;
            }
        }
        if (end == offset) return FragmentFailure.Empty;

        var before = queue.MemoryBytes;
        var insertion = queue.Insert(offset, end, packet[Math.Min(dataOffset, packet.Length)..]);
        if (insertion != FragmentQueue.Insertion.Added)
            return insertion == FragmentQueue.Insertion.Overlap ? FragmentFailure.Overlap : null;
        isAdded = true;
        if (offset == 0) queue.KeepHeader(packet[..dataOffset]);
        _ipv6.Account(queue.MemoryBytes - before);
        queue.EcnSeen |= 1 << (headers.Tos & 3);
        return null;
    }

    /// <summary>nf_ct_frag6_reasm: the fragment header goes, and what it said follows stands in the header before it.</summary>
    private FragmentResult FinishIPv6(FragmentQueue queue, out ReassembledPacket whole)
    {
        whole = default;
        var ecn = CombineEcn(queue.EcnSeen);
        var unfragmentableLength = queue.HeaderLength - FragmentHeaderBytes;
        var payloadLength = unfragmentableLength - IPv6HeaderBytes + queue.DataLength;
        if (ecn < 0 || payloadLength > MaximumLength)
        {
            Drop(_ipv6, queue, ecn < 0 ? FragmentFailure.Ecn : FragmentFailure.TooBig);
            return FragmentResult.Dropped;
        }

        var packet = Rent(queue);
        var present = queue.CopyTo(packet) - FragmentHeaderBytes;
        var fragmentHeader = FindFragmentHeader(packet, out var nextHeaderAt);
        packet[nextHeaderAt] = packet[fragmentHeader];
        packet.AsSpan(queue.HeaderLength, present - unfragmentableLength).CopyTo(packet.AsSpan(unfragmentableLength));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payloadLength);
        packet[1] |= (byte)(ecn << 4);

        _ipv6.Remove(queue);
        queue.Release();
        whole = new ReassembledPacket(packet, present, IPv6HeaderBytes + payloadLength);
        return FragmentResult.Whole;
    }

    /// <summary>find_prev_fhdr: where the first fragment header is, and where the number stands that announces it. The decoder has
    /// walked the same way and found one announced, though the packet may end before it.</summary>
    private static int FindFragmentHeader(ReadOnlySpan<byte> packet, out int nextHeaderAt)
    {
        nextHeaderAt = NextHeaderOffset;
        var offset = IPv6HeaderBytes;
        while (packet[nextHeaderAt] != IpProtocol.Fragment)
        {
            var lengthUnits = packet[offset + 1];
            var length = packet[nextHeaderAt] == IpProtocol.Ah ? (lengthUnits + 2) * 4 : (lengthUnits + 1) * 8;
            nextHeaderAt = offset;
            offset += length;
        }
        return offset;
    }

    /// <summary>ipv6frag_thdr_truncated: a first fragment has to hold the transport header (RFC 8200 section 4.5). The kernel lets one that does
    /// not pass on as it is.</summary>
    private static bool TransportIsTruncated(in PacketHeaders headers)
    {
        if (headers.FragmentOffset != 0 || PacketDecoder.IsExtensionHeader(headers.Protocol)) return false;
        var needed = headers.Protocol switch
        {
            IpProtocol.Tcp => 20,
            IpProtocol.Udp or IpProtocol.IcmpV6 => 8,
            _ => 1,
        };
        return headers.TransportLength < needed;
    }

    /// <summary>Multicast and link-local addresses mean something else on each interface.</summary>
    private static bool IsLocal(IpAddress address) => address.High >> 56 == 0xff || address.High >> 54 == 0xfe80 >> 6;
}
