namespace FwCluster.Datapath.Shards;

/// <summary>Replies on their way to one worker. Its memory is used again.</summary>
public sealed class ReplyBatch
{
    private ShardReply[] _replies = new ShardReply[16];

    /// <summary>Replies in it.</summary>
    public int Count { get; private set; }

    /// <summary>One of them.</summary>
    public ref readonly ShardReply this[int index] => ref _replies[index];

    /// <summary>Adds a reply; it is copied.</summary>
    public void Add(in ShardReply reply)
    {
        if (Count == _replies.Length) Array.Resize(ref _replies, Count * 2);
        _replies[Count++] = reply;
    }

    /// <summary>Empties it.</summary>
    public void Clear() => Count = 0;
}
