namespace FwCluster.Packets.Fragments;

/// <summary>The incomplete datagrams of one family, bounded in memory and time: the kernel's fqdir.</summary>
internal sealed class FragmentTable(long memoryLimit, long timeoutNanoseconds)
{
    private readonly Dictionary<FragmentKey, FragmentQueue> _queues = [];
    private readonly Dictionary<FragmentKey, FragmentSource> _sources = [];

    /// <summary>The queues in the order of their deadlines. All wait equally long, so that a new one goes to the end.</summary>
    private readonly LinkedList<FragmentQueue> _byDeadline = new();

    /// <summary>Bytes of memory that the queues hold.</summary>
    public long MemoryBytes { get; private set; }

    public int Count => _queues.Count;

    /// <summary>inet_frag_find: the datagram's queue, a new one where there is none, or null where the memory limit is passed.</summary>
    public FragmentQueue? FindOrCreate(in FragmentKey key, FragmentKey? sourceKey, long now)
    {
        if (memoryLimit == 0 || MemoryBytes > memoryLimit) return null;
        if (_queues.TryGetValue(key, out var queue)) return queue;
        queue = new FragmentQueue(key, sourceKey is { } source ? Attach(source) : null) { Deadline = now + timeoutNanoseconds };
        _queues.Add(key, queue);
        _byDeadline.AddLast(queue.Node);
        MemoryBytes += queue.MemoryBytes;
        return queue;
    }

    /// <summary>Takes a queue out. Its data stays until it is released.</summary>
    public void Remove(FragmentQueue queue)
    {
        if (!_queues.Remove(queue.Key)) return;
        _byDeadline.Remove(queue.Node);
        MemoryBytes -= queue.MemoryBytes;
        if (queue.Source is { } source && --source.Queues == 0) _sources.Remove(source.Key);
    }

    /// <summary>Starts a queue's time again.</summary>
    public void Restart(FragmentQueue queue, long now)
    {
        queue.Deadline = now + timeoutNanoseconds;
        _byDeadline.Remove(queue.Node);
        _byDeadline.AddLast(queue.Node);
    }

    /// <summary>Accounts for what a queue has grown or shrunk.</summary>
    public void Account(int bytes) => MemoryBytes += bytes;

    /// <summary>The queue whose time is over, if there is one.</summary>
    public FragmentQueue? FirstExpired(long now) => _byDeadline.First is { } first && first.Value.Deadline <= now ? first.Value : null;

    private FragmentSource Attach(in FragmentKey key)
    {
        if (!_sources.TryGetValue(key, out var source)) _sources.Add(key, source = new FragmentSource(key));
        source.Queues++;
        return source;
    }
}
