using System.Collections.Concurrent;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster.Shards;

/// <summary>Replies that wait for one worker: any thread puts them here, the worker's takes them.</summary>
/// <param name="pool">Where emptied batches go.</param>
/// <param name="wake">Tells the worker that there is something; called on any thread, once until the worker has found the inbox empty.</param>
internal sealed class ReplyInbox(Pool<WorkerReplies> pool, Action wake)
{
    private readonly ConcurrentQueue<WorkerReplies> _waiting = new();
    private WorkerReplies? _current;
    private int _isAwake;

    /// <summary>Puts replies here.</summary>
    public void Deliver(WorkerReplies batch)
    {
        _waiting.Enqueue(batch);
        Wake();
    }

    /// <summary>Wakes the worker, unless it is awake.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isAwake, 1) == 0) wake();
    }

    /// <summary>Takes the next reply. On the worker's thread.</summary>
    public bool TryTake(out ShardReply reply)
    {
        while (true)
        {
            if (_current is { } current)
            {
                if (current.TryTake(out reply)) return true;
                _current = null;
                pool.Return(current);
            }
            if (_waiting.TryDequeue(out _current)) continue;
            // Whoever delivers from here on wakes; who delivered just before did not, and is seen by looking again.
            Interlocked.Exchange(ref _isAwake, 0);
            if (!_waiting.TryDequeue(out _current))
            {
                reply = default;
                return false;
            }
            Interlocked.Exchange(ref _isAwake, 1);
        }
    }
}
