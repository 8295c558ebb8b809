using System.Runtime.InteropServices;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>
/// Counts connections by a key: remembers the tuples seen and asks the table which of them still live (<c>nf_conncount_count_skb</c> in
/// nf_conncount.c). Owned by one worker; grows by doubling, else does not allocate.
/// </summary>
internal sealed class ConnectionCount
{
    // How many dead ones a single packet clears away (CONNCOUNT_GC_MAX_COLLECT), and how many keys are kept before empty ones are looked for.
    private const int MostCollected = 64;
    private const int FewKeys = 1024;

    private readonly Dictionary<Key, List> _lists = [];
    private Node[] _nodes = new Node[64];
    private int _used;
    private int _free = -1;
    private int _sweepAt = FewKeys;

    /// <summary>Counts the packet's connection under a key, and returns how many there are with it; 0 where it could not be counted.</summary>
    public int Count(ref PacketContext packet, IpAddress address)
    {
        ConnectionStatus status = 0;
        ushort zone = 0;
        var tuple = packet.Headers.Tuple;
        if (packet.Track.Connection >= 0)
        {
            ref readonly var connection = ref packet.Connection;
            (tuple, zone, status) = (connection.Original, connection.Zone, connection.Status);
        }
        else if (packet.Connections.Find(tuple, zone, packet.Now, out _) is var found and >= 0)
        {
            status = packet.Connections[found].Status;
        }

        var now = Jiffies.At(packet.Now);
        if (_lists.Count >= _sweepAt) Sweep(packet.Connections, packet.Now);
        ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(_lists, new(address, zone), out var known);
        if (!known)
        {
            list = new() { Head = -1, Tail = -1, Collected = now };
            Append(ref list, tuple, zone);
            return 1;
        }
        var isConfirmed = (status & ConnectionStatus.Confirmed) != 0;
        // Counted when it began, and sure to have been.
        if (isConfirmed && (status & ConnectionStatus.Assured) != 0) Collect(ref list, packet.Connections, packet.Now, now, default, 0);
        else if (!isConfirmed && now == list.Collected && list.Count - list.CountWhenCollected < MostCollected) Append(ref list, tuple, zone);
        else if (!Collect(ref list, packet.Connections, packet.Now, now, tuple, zone)) Append(ref list, tuple, zone);
        return list.Count;
    }

    /// <summary>Takes the dead out of a list. True where it met the tuple, alive.</summary>
    private bool Collect(ref List list, ConnectionTable table, long time, ulong now, FlowTuple tuple, ushort zone)
    {
        if (tuple == default && now == list.Collected) return false;
        var removed = 0;
        var before = -1;
        for (var n = list.Head; n >= 0 && removed <= MostCollected;)
        {
            ref readonly var node = ref _nodes[n];
            var next = node.Next;
            var found = table.Find(node.Tuple, node.Zone, time, out _);
            if (found >= 0 && node.Tuple == tuple && node.Zone == zone) return true;
            if (found < 0 || IsClosed(in table[found]))
            {
                Remove(ref list, n, before);
                removed++;
            }
            else
            {
                before = n;
            }
            n = next;
        }
        list.Collected = now;
        list.CountWhenCollected = list.Count;
        return false;
    }

    private static bool IsClosed(in Connection connection)
        => connection.Original.Protocol == IpProtocol.Tcp && connection.Tcp.State is TcpState.TimeWait or TcpState.Close;

    private void Append(ref List list, in FlowTuple tuple, ushort zone)
    {
        var node = _free;
        if (node >= 0) _free = _nodes[node].Next;
        else
        {
            if (_used == _nodes.Length) Array.Resize(ref _nodes, _used * 2);
            node = _used++;
        }
        _nodes[node] = new() { Tuple = tuple, Zone = zone, Next = -1 };
        if (list.Tail >= 0) _nodes[list.Tail].Next = node;
        else list.Head = node;
        list.Tail = node;
        list.Count++;
    }

    private void Remove(ref List list, int node, int before)
    {
        if (before >= 0) _nodes[before].Next = _nodes[node].Next;
        else list.Head = _nodes[node].Next;
        if (list.Tail == node) list.Tail = before;
        _nodes[node].Next = _free;
        _free = node;
        list.Count--;
    }

    /// <summary>Forgets keys without connections; in between, as many keys may come as were left.</summary>
    private void Sweep(ConnectionTable table, long time)
    {
        foreach (var key in _lists.Keys)
        {
            ref var list = ref CollectionsMarshal.GetValueRefOrNullRef(_lists, key);
            Collect(ref list, table, time, ulong.MaxValue, default, 0);
            if (list.Count == 0) _lists.Remove(key);
        }
        _sweepAt = Math.Max(FewKeys, _lists.Count * 2);
    }

    private readonly record struct Key(IpAddress Address, ushort Zone);

    private struct List
    {
        public int Head;
        public int Tail;
        public int Count;
        public int CountWhenCollected;
        public ulong Collected;
    }

    private struct Node
    {
        public FlowTuple Tuple;
        public ushort Zone;
        public int Next;
    }
}
