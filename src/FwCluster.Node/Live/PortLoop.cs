using System.Collections.Concurrent;
using FwCluster.Control.Nodes;
using FwCluster.Datapath;

namespace FwCluster.Node.Live;

/// <summary>
/// A thread that has a worker and the port it takes packets from. Others do not touch the worker: they post a question, which the thread
/// answers between two batches. But who brings answers of shards takes them to their verdicts himself while the thread waits for packets: to wake it for that
/// would take longer than the work.
/// </summary>
internal abstract class PortLoop : IWorkerAccess, IDisposable
{
    private readonly ConcurrentQueue<Action> _questions = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly Lock _having = new(); // held by whoever has the worker
    private bool _hasAnswers;
    private volatile bool _isRunning, _isStopping;

    protected PortLoop(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>The worker, there before <see cref="Start"/>. Only <see cref="PacketWorker.Change"/>, its rules' counters and its statistics may be used from other
    /// threads.</summary>
    public PacketWorker Worker { get; set; } = null!;

    /// <summary>What the port is, and what it could not take. Any thread.</summary>
    public abstract PortCounts Counts { get; }

    /// <summary>Completes when the loop has ended; with the exception that ended it, where one did.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Begins.</summary>
    public void Start() => _thread.Start();

    /// <summary>Asks something of the worker, on its thread.</summary>
    public Task<T> Ask<T>(Func<PacketWorker, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions.Enqueue(() => answer.Answer(() => question(Worker)));
        Wake();
        if (_ended.Task.IsCompleted) answer.TrySetException(new InvalidOperationException("the port has ended"));
        return answer.Task;
    }

    /// <summary>Answers of shards have come: they are taken up, by this thread unless another one has the worker just now, which goes on with them then. Any thread.</summary>
    public void TakeAnswers()
    {
        Volatile.Write(ref _hasAnswers, true);
        if (!_having.IsHeldByCurrentThread) TakeAnswersThatCame();
    }

    /// <summary>Ends the wait of <see cref="RunBatch"/>. Any thread.</summary>
    public abstract void Wake();

    /// <summary>Ends the loop after the batch at hand.</summary>
    public void Stop()
    {
        _isStopping = true;
        Wake();
        if (_thread.IsAlive && Thread.CurrentThread != _thread) _thread.Join();
        lock (_having) return; // who brings answers has seen it too
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        Close();
    }

    /// <summary>Takes a batch of packets to their verdicts, waiting a while for one where there is none. Whoever waits does not have the worker.</summary>
    protected abstract void RunBatch();

    /// <summary>Takes the answers of shards to their packets' verdicts.</summary>
    protected virtual void Advance() => Worker.Advance(UnixTime.Now);

    /// <summary>Has the worker until the result is disposed, and the answers that came meanwhile are taken up.</summary>
    protected Having Have()
    {
        _having.Enter();
        return new Having(this);
    }

    /// <summary>Closes the port.</summary>
    protected abstract void Close();

    private void Run()
    {
        ShortSlice.Take();
        _isRunning = true;
        RunBatches();
        AnswerQuestions(); // that came too late for the last batch, and before anybody could see that there are no more
    }

    private void RunBatches()
    {
        try
        {
            while (!_isStopping)
            {
                AnswerQuestions(); // before the first packet, too
                RunBatch();
            }
            _ended.TrySetResult();
        }
#pragma warning disable CA1031 // told by Ended, on which the daemon stops
        catch (Exception e)
#pragma warning restore CA1031
        {
            _ended.TrySetException(e);
        }
    }

    private void AnswerQuestions()
    {
        if (_questions.IsEmpty) return;
        using (Have())
        {
            while (_questions.TryDequeue(out var question)) question();
        }
    }

    /// <summary>Takes up the answers that came, unless somebody has the worker: he does then, when he lets go of it.</summary>
    private void TakeAnswersThatCame()
    {
        while (true)
        {
            Interlocked.MemoryBarrier(); // either this thread sees that there are some, or who brings them sees that nobody has the worker
            if (!Volatile.Read(ref _hasAnswers) || !_having.TryEnter()) return;
            try
            {
                if (!_isRunning || _isStopping) return;
                while (Interlocked.Exchange(ref _hasAnswers, false)) Advance();
            }
#pragma warning disable CA1031 // told by Ended, on which the daemon stops; who brings answers has nothing to do with it
            catch (Exception e)
#pragma warning restore CA1031
            {
                _ended.TrySetException(e);
                _isStopping = true;
                Wake();
            }
            finally
            {
                _having.Exit();
            }
        }
    }

    /// <summary>That this thread has the worker.</summary>
    protected readonly ref struct Having(PortLoop loop)
    {
        /// <summary>Lets go of it.</summary>
        public void Dispose()
        {
            loop._having.Exit();
            loop.TakeAnswersThatCame();
        }
    }
}
