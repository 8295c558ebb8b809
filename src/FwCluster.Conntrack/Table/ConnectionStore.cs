using System.Numerics;
using System.Runtime.CompilerServices;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Table;

/// <summary>
/// Where entries live: slabs of plain structures, a free list through them, and buckets of chains by <see cref="TupleHash"/>. An entry
/// is found by either direction's tuple and keeps its index while it lives. Nothing is allocated but a slab now and then.
/// </summary>
internal sealed class ConnectionStore
{
    private const int SlabBits = 12;
    private const int SlabSize = 1 << SlabBits;

    private readonly TupleHash _hash;
    private readonly int[] _buckets; // index + 1 of a chain's first entry: a new array is empty
    private Connection[][] _slabs = [];
    private int _free = -1;

    public ConnectionStore(int maxEntries, TupleHash hash)
    {
        _hash = hash;
        // As many buckets as entries, as the kernel has it. The system gives the memory when it is touched.
        _buckets = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(maxEntries, 16))];
    }

    /// <summary>Slots ever used: indices lie below it.</summary>
    public int Capacity { get; private set; }

    /// <summary>Slots in use: entries in the table and those not confirmed yet.</summary>
    public int Allocated { get; private set; }

    /// <summary>Entries that can be found.</summary>
    public int Linked { get; private set; }

    public int BucketCount => _buckets.Length;

    public ref Connection this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _slabs[index >> SlabBits][index & (SlabSize - 1)];
    }

    public int BucketOf(in FlowTuple tuple) => (int)(_hash.Of(tuple) & (ulong)(_buckets.Length - 1));

    /// <summary>First entry of a bucket's chain, or -1; the rest by <see cref="Connection.Next"/>.</summary>
    public int First(int bucket) => _buckets[bucket] - 1;

    /// <summary>Finds the entry that a packet with this tuple belongs to; zones are those of the packet, by direction.</summary>
    public int Find(in FlowTuple tuple, int bucket, ushort originalZone, ushort replyZone, out Direction direction)
    {
        for (var index = _buckets[bucket] - 1; index >= 0;)
        {
            ref var entry = ref this[index];
            if (Matches(entry, tuple, out direction))
            {
                var zone = direction == Direction.Original ? originalZone : replyZone;
                if (ZoneOf(entry, direction) == zone) return index;
            }
            index = entry.Next;
        }
        direction = Direction.Original;
        return -1;
    }

    /// <summary>The zone that counts in one direction (<c>nf_ct_zone_id</c>).</summary>
    public static ushort ZoneOf(in Connection entry, Direction direction)
        => (entry.ZoneDirections & (ZoneDirections)(1 << (int)direction)) != 0 ? entry.Zone : (ushort)0;

    /// <summary>Takes a slot and clears it; it cannot be found before <see cref="Link"/>.</summary>
    public int Allocate()
    {
        int index;
        if (_free >= 0)
        {
            index = _free;
            _free = this[index].Next;
        }
        else
        {
            index = Capacity++;
            if (index >> SlabBits == _slabs.Length) AddSlab();
        }
        Allocated++;
        ref var entry = ref this[index];
        var generation = entry.Generation;
        entry = default;
        entry.Generation = generation + 1;
        entry.Next = -1;
        entry.Master = -1;
        return index;
    }

    /// <summary>Makes an entry findable.</summary>
    public void Link(int index)
    {
        ref var entry = ref this[index];
        ref var bucket = ref _buckets[BucketOf(entry.Original)];
        entry.Next = bucket - 1;
        bucket = index + 1;
        Linked++;
    }

    /// <summary>Makes an entry not findable any more; its slot stays taken.</summary>
    public void Unlink(int index)
    {
        ref var entry = ref this[index];
        ref var bucket = ref _buckets[BucketOf(entry.Original)];
        if (bucket == index + 1)
        {
            bucket = entry.Next + 1;
        }
        else
        {
            var at = bucket - 1;
            while (this[at].Next != index) at = this[at].Next;
            this[at].Next = entry.Next;
        }
        entry.Next = -1;
        Linked--;
    }

    /// <summary>Gives a slot back.</summary>
    public void Free(int index)
    {
        ref var entry = ref this[index];
        entry.Status = ConnectionStatus.None;
        entry.Next = _free;
        _free = index;
        Allocated--;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddSlab()
    {
        Array.Resize(ref _slabs, _slabs.Length + 1);
        _slabs[^1] = new Connection[SlabSize];
    }

    private static bool Matches(in Connection entry, in FlowTuple tuple, out Direction direction)
    {
        direction = Direction.Original;
        ref readonly var original = ref entry.Original;
        if (original.Protocol != tuple.Protocol || original.Family != tuple.Family) return false;
        if (original.Source == tuple.Source && original.Destination == tuple.Destination
            && original.SourcePort == tuple.SourcePort && original.DestinationPort == tuple.DestinationPort)
        {
            // Of a connection whose two ends are one, the kernel meets the reply first: it is linked in front of the original.
            if (original.Source == original.Destination && original.SourcePort == original.DestinationPort
                && tuple.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6))
                direction = Direction.Reply;
            return true;
        }
        direction = Direction.Reply;
        if (original.Source != tuple.Destination || original.Destination != tuple.Source) return false;
        return tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6
            ? TupleInverse.Of(tuple) == original
            : original.SourcePort == tuple.DestinationPort && original.DestinationPort == tuple.SourcePort;
    }
}
