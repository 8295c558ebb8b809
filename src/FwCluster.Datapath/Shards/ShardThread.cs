using System.Collections.Concurrent;

namespace FwCluster.Datapath.Shards;

/// <summary>
/// Runs one shard, which has all connections, on a thread of its own for the workers of one process: what a daemon with several queues needs and no
/// cluster. Requests and replies go by the batch.
/// </summary>
public sealed class ShardThread : IShardOutput, IDisposable
{
    private const int WaitMilliseconds = 100;
    private const int SweepBudget = 4096;

    private readonly BlockingCollection<object> _inbox = [];
    private readonly ConcurrentBag<RequestBatch> _freeRequests = [];
    private readonly ConcurrentBag<ReplyBatch> _freeReplies = [];
    private readonly List<Link> _links = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly Func<long> _now;
    private readonly Shard _shard;

    /// <summary>Makes the shard; it runs from <see cref="Start"/> on.</summary>
    /// <param name="table">The connections.</param>
    /// <param name="now">The time, nanoseconds since the Unix epoch.</param>
    /// <param name="settings">The shard's; null for the defaults.</param>
    public ShardThread(Conntrack.ConnectionTable table, Func<long> now, ShardSettings? settings = null)
    {
        _now = now;
        _shard = new Shard(table, this, settings);
        _thread = new Thread(Run) { Name = "shard", IsBackground = true };
    }

    /// <summary>Completes when the thread has ended; with the exception that ended it, where one did.</summary>
    public Task Ended => _ended.Task;

    /// <summary>A way to the shard for one more worker. Before <see cref="Start"/>.</summary>
    /// <param name="wake">Tells the worker's thread that there are replies. From any thread.</param>
    public IShardLink OpenLink(Action wake)
    {
        var link = new Link(this, _links.Count, wake);
        _links.Add(link);
        return link;
    }

    /// <summary>Begins.</summary>
    public void Start() => _thread.Start();

    /// <summary>Asks something of the shard, on its thread.</summary>
    public Task<T> Ask<T>(Func<Shard, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _inbox.Add(() => answer.Answer(() => question(_shard)));
        return answer.Task;
    }

    /// <inheritdoc/>
    void IShardOutput.Reply(int holder, in ShardReply reply) => _links[holder].Gather(in reply);

    /// <summary>Ends the thread. What waits is not answered.</summary>
    public void Dispose()
    {
        if (!_inbox.IsAddingCompleted) _inbox.CompleteAdding();
        if (_thread.IsAlive) _thread.Join();
        _inbox.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_inbox.IsCompleted)
            {
                if (_inbox.TryTake(out var first, WaitMilliseconds)) Deal(first);
                for (var more = _inbox.Count; more > 0 && _inbox.TryTake(out var next); more--) Deal(next);
                _shard.Tick(_now(), SweepBudget);
                foreach (var link in _links) link.Send();
            }
            _ended.SetResult();
        }
#pragma warning disable CA1031 // told by Ended, on which the daemon stops
        catch (Exception e)
#pragma warning restore CA1031
        {
            _ended.SetException(e);
        }
    }

    private void Deal(object item)
    {
        if (item is Action question)
        {
            question();
            return;
        }
        var batch = (RequestBatch)item;
        var now = _now();
        for (var i = 0; i < batch.Count; i++) _shard.Take(batch.Worker, in batch[i], batch.Packet(i), now);
        batch.Clear();
        _freeRequests.Add(batch);
    }

    /// <summary>One worker's way: the upper half is used on the worker's thread, the lower on the shard's.</summary>
    private sealed class Link(ShardThread owner, int number, Action wake) : IShardLink
    {
        private readonly ConcurrentQueue<ReplyBatch> _replies = new();
        private RequestBatch _gathering = new();
        private ReplyBatch? _reading;
        private int _readAt;
        private ReplyBatch _answering = new();

        public bool TrySend(in ShardRequest request, ReadOnlySpan<byte> packet)
        {
            _gathering.Add(in request, packet);
            return true; // as many as the worker may hold
        }

        public void Flush()
        {
            if (_gathering.Count == 0) return;
            _gathering.Worker = number;
            owner._inbox.Add(_gathering);
            _gathering = owner._freeRequests.TryTake(out var free) ? free : new RequestBatch();
        }

        public bool TryReceive(out ShardReply reply)
        {
            while (true)
            {
                if (_reading is not null && _readAt < _reading.Count)
                {
                    reply = _reading[_readAt++];
                    return true;
                }
                if (_reading is not null)
                {
                    _reading.Clear();
                    owner._freeReplies.Add(_reading);
                }
                _readAt = 0;
                if (_replies.TryDequeue(out _reading)) continue;
                reply = default;
                return false;
            }
        }

        public void Gather(in ShardReply reply) => _answering.Add(in reply);

        public void Send()
        {
            if (_answering.Count == 0) return;
            _replies.Enqueue(_answering);
            _answering = owner._freeReplies.TryTake(out var free) ? free : new ReplyBatch();
            wake();
        }
    }
}
