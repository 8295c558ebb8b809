using System.Runtime.InteropServices;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>
/// The limits that rules with one <c>--hashlimit-name</c> share (<c>struct xt_hashlimit_htable</c>): as the first of these rules set it up.
/// Bounded; a limit that has been quiet is forgotten. Owned by one worker; grows by doubling, else does not allocate.
/// </summary>
internal sealed class HashLimitTable
{
    private const uint MostBuckets = 1 << 20;

    // What the kernel takes for a host with more than a gigabyte of memory (htable_create).
    private const uint UsualBuckets = 8192;

    private readonly Dictionary<HashLimitKey, HashLimitBucket> _buckets = [];
    private readonly int _max;
    private readonly ulong _expire;
    private readonly ulong _collectEvery;
    private readonly IpAddress _sourceMask;
    private readonly IpAddress _destinationMask;

    // The kernel clears its table by a timer; which runs have been since is told from the clock.
    private ulong _started;
    private ulong _swept;

    /// <summary>Makes an empty table.</summary>
    public HashLimitTable(HashLimitSettings settings, IpFamily family)
    {
        Settings = settings;
        var size = settings.Size == 0 ? UsualBuckets : Math.Min(settings.Size, MostBuckets);
        _max = (int)(settings.Max == 0 ? 8 * size : Math.Max(Math.Min(settings.Max, MostBuckets), size));
        _expire = Jiffies.FromMilliseconds(settings.Expire);
        _collectEvery = Math.Max(1, Jiffies.FromMilliseconds(settings.CollectEvery));
        _sourceMask = IpAddress.PrefixMask(family, settings.SourcePrefix);
        _destinationMask = IpAddress.PrefixMask(family, settings.DestinationPrefix);
    }

    /// <summary>What it was set up with.</summary>
    public HashLimitSettings Settings { get; }

    /// <summary>Limits that it holds.</summary>
    public int Count => _buckets.Count;

    /// <summary>The limit that a packet falls under, refilled up to now; made where there was none.</summary>
    /// <returns>False where the packet cannot be read, or the table is full.</returns>
    public bool TryFind(ref PacketContext packet, out HashLimitKey key)
    {
        if (!TryKey(ref packet, out key)) return false;
        var now = Jiffies.At(packet.Now);
        if (_started == 0) _started = _swept = now;
        var collected = _started + (now - _started) / _collectEvery * _collectEvery;
        ref var bucket = ref CollectionsMarshal.GetValueRefOrNullRef(_buckets, key);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref bucket) && bucket.Expires > collected)
        {
            bucket.Refill(Settings, now);
            bucket.Expires = now + _expire;
            return true;
        }
        if (_buckets.Count >= _max && _swept < collected) Sweep(collected);
        if (_buckets.Count >= _max && !_buckets.ContainsKey(key)) return false;
        _buckets[key] = HashLimitBucket.Full(Settings, now, now + _expire);
        return true;
    }

    /// <summary>A limit that <see cref="TryFind"/> found.</summary>
    public ref HashLimitBucket this[in HashLimitKey key] => ref CollectionsMarshal.GetValueRefOrNullRef(_buckets, key);

    private void Sweep(ulong collected)
    {
        _swept = collected;
        foreach (var (key, bucket) in _buckets)
        {
            if (bucket.Expires <= collected) _buckets.Remove(key);
        }
    }

    private bool TryKey(ref PacketContext packet, out HashLimitKey key)
    {
        ref readonly var headers = ref packet.Headers;
        key = default;
        if ((Settings.Keys & HashLimitKeys.SourceAddress) != 0) key.Source = headers.Source.And(_sourceMask);
        if ((Settings.Keys & HashLimitKeys.DestinationAddress) != 0) key.Destination = headers.Destination.And(_destinationMask);
        if ((Settings.Keys & (HashLimitKeys.SourcePort | HashLimitKeys.DestinationPort)) == 0) return true;
        if (!TryPorts(ref packet, out var source, out var destination)) return false;
        if ((Settings.Keys & HashLimitKeys.SourcePort) != 0) key.SourcePort = source;
        if ((Settings.Keys & HashLimitKeys.DestinationPort) != 0) key.DestinationPort = destination;
        return true;
    }

    // The first four bytes of these protocols (proto_ports_offset), whatever else is wrong with the header.
    private static bool TryPorts(ref PacketContext packet, out ushort source, out ushort destination)
    {
        ref readonly var headers = ref packet.Headers;
        (source, destination) = (0, 0);
        var offset = headers.TransportOffset;
        switch (headers.Protocol)
        {
            case IpProtocol.Ah:
                offset += 4;
                break;
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Dccp or IpProtocol.Sctp or IpProtocol.Esp:
                break;
            default:
                return true;
        }
        if (Math.Min(packet.Packet.Length, headers.TotalLength) < offset + 4) return false;
        source = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(packet.Packet[offset..]);
        destination = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(packet.Packet[(offset + 2)..]);
        return true;
    }
}

/// <summary>What sets one limit apart from another; what does not is zero.</summary>
internal record struct HashLimitKey
{
    public IpAddress Source;
    public IpAddress Destination;
    public ushort SourcePort;
    public ushort DestinationPort;
}
