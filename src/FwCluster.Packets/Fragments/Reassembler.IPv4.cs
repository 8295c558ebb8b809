using System.Buffers.Binary;

namespace FwCluster.Packets.Fragments;

/// <content>IPv4: ip_defrag, ip_frag_queue and ip_frag_reasm.</content>
public sealed partial class Reassembler
{
    private FragmentResult AddIPv4(
        in PacketHeaders headers, ReadOnlySpan<byte> packet, long now, in FragmentScope scope, out ReassembledPacket whole)
    {
        whole = default;
        var key = new FragmentKey(headers.Source, headers.Destination, headers.FragmentId, headers.Protocol, User(in scope), 0);
        FragmentKey? source = _options.IPv4MaximumDistance > 0 ? new FragmentKey(headers.Source, default, 0, 0, 0, 0) : null;
        if (_ipv4.FindOrCreate(in key, source, now) is not { } queue) return Fail(FragmentFailure.MemoryLimit);
        if (IsTooFar(queue)) StartAgain(queue, now);

        if (PlaceIPv4(queue, in headers, packet, out var isAdded) is { } failure)
        {
            Drop(_ipv4, queue, failure);
            return FragmentResult.Dropped;
        }
        return isAdded && queue.IsComplete ? FinishIPv4(queue, out whole) : FragmentResult.Held;
    }

    /// <summary>ip_frag_too_far: counts the sender's fragments between two of this datagram. Identifications come round soon on
    /// a fast sender, and pieces of two datagrams must not be put together.</summary>
    private bool IsTooFar(FragmentQueue queue)
    {
        if (queue.Source is not { } source) return false;
        var distance = ++source.Count - queue.SourceCount;
        queue.SourceCount = source.Count;
        return !queue.IsEmpty && distance > (uint)_options.IPv4MaximumDistance;
    }

    /// <summary>ip_frag_reinit.</summary>
    private void StartAgain(FragmentQueue queue, long now)
    {
        var before = queue.MemoryBytes;
        queue.Clear();
        queue.Release();
        _ipv4.Account(queue.MemoryBytes - before);
        _ipv4.Restart(queue, now);
        Fail(FragmentFailure.Distance);
    }

    /// <summary>ip_frag_queue: null where the fragment is placed or was there, else why the datagram is to be dropped.</summary>
    private FragmentFailure? PlaceIPv4(
        FragmentQueue queue, in PacketHeaders headers, ReadOnlySpan<byte> packet, out bool isAdded)
    {
        isAdded = false;
        var offset = headers.FragmentOffset;
        var end = offset + headers.TransportLength;
        if ((headers.Traits & NetworkTraits.MoreFragments) == 0)
        {
            if (end < queue.DataLength || (queue.HasLast && end != queue.DataLength)) return FragmentFailure.EndMismatch;
            queue.HasLast = true;
            queue.DataLength = end;
        }
        else
        {
            // Only the last may end within 8 bytes: what is over is cut off.
            end &= ~7;
            if (end > queue.DataLength)
            {
                if (queue.HasLast) return FragmentFailure.EndMismatch;
                queue.DataLength = end;
            }
        }
        if (end == offset) return FragmentFailure.Empty;

        var before = queue.MemoryBytes;
        var data = packet[Math.Min(headers.TransportOffset, packet.Length)..];
        if (data.Length > end - offset) data = data[..(end - offset)];
        var insertion = queue.Insert(offset, end, data);
        if (insertion != FragmentQueue.Insertion.Added)
            return insertion == FragmentQueue.Insertion.Overlap ? FragmentFailure.Overlap : null;
        isAdded = true;
        if (offset == 0) queue.KeepHeader(packet[..headers.TransportOffset]);
        _ipv4.Account(queue.MemoryBytes - before);

        queue.EcnSeen |= 1 << (headers.Tos & 3);
        var size = end - offset + headers.TransportOffset;
        queue.LargestFragment = Math.Max(queue.LargestFragment, size);
        if ((headers.Traits & NetworkTraits.DontFragment) != 0)
            queue.LargestUnfragmentable = Math.Max(queue.LargestUnfragmentable, size);
        return null;
    }

    /// <summary>ip_frag_reasm.</summary>
    private FragmentResult FinishIPv4(FragmentQueue queue, out ReassembledPacket whole)
    {
        whole = default;
        var ecn = CombineEcn(queue.EcnSeen);
        var totalLength = queue.HeaderLength + queue.DataLength;
        if (ecn < 0 || totalLength > MaximumLength)
        {
            Drop(_ipv4, queue, ecn < 0 ? FragmentFailure.Ecn : FragmentFailure.TooBig);
            return FragmentResult.Dropped;
        }

        var packet = Rent(queue);
        var present = queue.CopyTo(packet);
        var header = packet.AsSpan(0, queue.HeaderLength);
        header[1] |= (byte)ecn;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)totalLength);
        // The whole may not be fragmented again where the largest fragment said so of itself.
        var doNotFragment = queue.LargestUnfragmentable == queue.LargestFragment;
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], doNotFragment ? (ushort)0x4000 : (ushort)0);
        Checksum.WriteIPv4Header(header);

        _ipv4.Remove(queue);
        queue.Release();
        whole = new ReassembledPacket(packet, present, totalLength);
        return FragmentResult.Whole;
    }
}
