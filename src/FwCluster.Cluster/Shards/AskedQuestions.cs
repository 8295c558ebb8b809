using FwCluster.Cluster.Nodes;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>One worker's questions that have no answer yet, kept to be asked again where whoever had them is gone. Its memory is used again.</summary>
/// <param name="room">How many there may be.</param>
internal sealed class AskedQuestions(int room)
{
    private readonly Dictionary<uint, Asked> _byId = [];
    private readonly Stack<Asked> _free = new();

    /// <summary>How many have no answer.</summary>
    public int Count => _byId.Count;

    /// <summary>Notes a question.</summary>
    /// <param name="request">The question.</param>
    /// <param name="packet">Its packet.</param>
    /// <param name="to">Whom it goes to; null where whoever finds the shard is asked.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <param name="patience">After how long nobody waits for an answer any more, nanoseconds.</param>
    /// <returns>False where too many wait.</returns>
    public bool TryAdd(in ShardRequest request, ReadOnlySpan<byte> packet, Node? to, long now, long patience)
    {
        if (_byId.Count >= room && !Forget(now - patience)) return false;
        if (!_byId.TryGetValue(request.Id, out var asked))
        {
            if (!_free.TryPop(out asked)) asked = new Asked();
            _byId.Add(request.Id, asked);
        }
        asked.Set(request, packet, to, now);
        return true;
    }

    /// <summary>The answer has come.</summary>
    public void Answered(uint id)
    {
        if (_byId.Remove(id, out var asked)) _free.Push(asked);
    }

    /// <summary>Finds what was asked of somebody who no longer has it.</summary>
    public void Collect(NodeMap map, long before, List<Asked> lost)
    {
        foreach (var asked in _byId.Values)
        {
            var owner = map.Owner(map.ShardOf(asked.Request.Tuple));
            // A shard that moves sends on what it has not answered; what is late nevertheless is taken for lost.
            var isLost = asked.To is { IsGone: true } || (owner is not null && owner != asked.To && asked.At < before);
            if (isLost) lost.Add(asked);
        }
    }

    private bool Forget(long before)
    {
        foreach (var (id, asked) in _byId)
        {
            if (asked.At < before) Answered(id); // a dictionary may lose entries while it is read
        }
        return _byId.Count < room;
    }

    /// <summary>One question.</summary>
    public sealed class Asked
    {
        private byte[] _packet = [];
        private int _length;

        /// <summary>The question.</summary>
        public ShardRequest Request;

        /// <summary>Whom it went to.</summary>
        public Node? To { get; set; }

        /// <summary>When, nanoseconds since the Unix epoch.</summary>
        public long At { get; private set; }

        /// <summary>Its packet.</summary>
        public ReadOnlySpan<byte> Packet => _packet.AsSpan(0, _length);

        public void Set(in ShardRequest request, ReadOnlySpan<byte> packet, Node? to, long now)
        {
            (Request, To, At) = (request, to, now);
            if (packet.Length > _packet.Length) _packet = new byte[Math.Max(128, packet.Length)];
            packet.CopyTo(_packet);
            _length = packet.Length;
        }
    }
}
