using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>Replies on their way to one worker of this process. Used again.</summary>
internal sealed class WorkerReplies
{
    private ShardReply[] _replies = new ShardReply[8];
    private int _next;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a reply.</summary>
    public void Add(in ShardReply reply)
    {
        if (Count == _replies.Length) Array.Resize(ref _replies, Count * 2);
        _replies[Count++] = reply;
    }

    /// <summary>Takes the next one.</summary>
    public bool TryTake(out ShardReply reply)
    {
        reply = _next < Count ? _replies[_next] : default;
        return _next++ < Count;
    }

    /// <summary>Makes it empty.</summary>
    public void Clear() => Count = _next = 0;
}
