using System.Diagnostics.CodeAnalysis;
using FwCluster.Datapath.Shards;

namespace FwCluster.Datapath.Held;

/// <summary>
/// The packets of a worker that wait: of each connection in their order, the first one for its shard's answer, the others behind it. Their memory is
/// used again; it grows to what was needed at once.
/// </summary>
/// <param name="capacity">Packets that may wait.</param>
internal sealed class HeldPackets(int capacity)
{
    private readonly Dictionary<FlowKey, HeldPacket> _first = [];
    private readonly Dictionary<uint, HeldPacket> _byQuestion = [];
    private readonly Queue<(uint Question, long Since)> _oldest = [];
    private HeldPacket? _free;
    private uint _lastQuestion;

    /// <summary>Packets that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Takes room for a packet; null where there is none.</summary>
    public HeldPacket? TryTake()
    {
        if (Count >= capacity) return null;
        Count++;
        if (_free is not { } packet) return new HeldPacket();
        _free = packet.Next;
        return packet;
    }

    /// <summary>Gives the room back.</summary>
    public void Return(HeldPacket packet)
    {
        Count--;
        packet.Next = _free;
        _free = packet;
    }

    /// <summary>True where packets of the connection wait.</summary>
    public bool HasFlow(in FlowKey key) => Count > 0 && _first.ContainsKey(key);

    /// <summary>Has a packet wait for its connection, behind those that do already.</summary>
    /// <returns>True where it is the first, and must ask.</returns>
    public bool Add(HeldPacket packet)
    {
        if (_first.TryAdd(packet.Key, packet)) return true;
        var first = _first[packet.Key];
        first.Last.Next = packet;
        first.Last = packet;
        return false;
    }

    /// <summary>Numbers a packet's question.</summary>
    public uint Number(HeldPacket packet, long now)
    {
        if (++_lastQuestion == 0) _lastQuestion = 1;
        packet.Question = _lastQuestion;
        packet.Since = now;
        _byQuestion.Add(_lastQuestion, packet);
        _oldest.Enqueue((_lastQuestion, now));
        return _lastQuestion;
    }

    /// <summary>The packet that asked.</summary>
    public bool TryFind(uint question, [NotNullWhen(true)] out HeldPacket? packet) => _byQuestion.TryGetValue(question, out packet);

    /// <summary>The packet whose question is the oldest, where that was asked before a time.</summary>
    public bool TryFindOlder(long than, [NotNullWhen(true)] out HeldPacket? packet)
    {
        while (_oldest.TryPeek(out var oldest))
        {
            if (_byQuestion.TryGetValue(oldest.Question, out packet)) return oldest.Since < than;
            _oldest.Dequeue();
        }
        packet = null;
        return false;
    }

    /// <summary>The packet's question is answered; what waits behind it comes first now.</summary>
    /// <param name="packet">The first packet of its connection.</param>
    /// <param name="next">The packet behind it; null where there is none.</param>
    public void Leave(HeldPacket packet, out HeldPacket? next)
    {
        if (packet.Question != 0) _byQuestion.Remove(packet.Question);
        next = packet.Next;
        if (next is null)
        {
            _first.Remove(packet.Key);
        }
        else
        {
            next.Last = packet.Last;
            _first[packet.Key] = next;
        }
        packet.Next = null;
        packet.Question = 0;
    }
}
