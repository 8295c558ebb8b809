using System.Collections.Concurrent;
using FwCluster.Control.Nodes;
using FwCluster.Datapath;

namespace FwCluster.Node.Live;

/// <summary>
/// A thread that owns a worker and the port it takes packets from. Others do not touch the worker: they post a question, which the thread
/// answers between two batches.
/// </summary>
internal abstract class PortLoop : IWorkerAccess, IDisposable
{
    private readonly ConcurrentQueue<Action> _questions = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private volatile bool _isStopping;

    protected PortLoop(PacketWorker worker, string name)
    {
        Worker = worker;
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>The worker. Only <see cref="PacketWorker.Change"/>, its rules' counters and its statistics may be used from other threads.</summary>
    public PacketWorker Worker { get; }

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

    /// <summary>Ends the loop after the batch at hand.</summary>
    public void Stop()
    {
        _isStopping = true;
        Wake();
        if (_thread.IsAlive && Thread.CurrentThread != _thread) _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        Close();
    }

    /// <summary>Takes a batch of packets to their verdicts, waiting a while for one where there is none.</summary>
    protected abstract void RunBatch();

    /// <summary>Ends the wait of <see cref="RunBatch"/>. Any thread.</summary>
    protected abstract void Wake();

    /// <summary>Closes the port.</summary>
    protected abstract void Close();

    private void Run()
    {
        ShortSlice.Take();
        RunBatches();
        // What came too late for the last batch, and before anybody could see that there are no more.
        while (_questions.TryDequeue(out var question)) question();
    }

    private void RunBatches()
    {
        try
        {
            while (!_isStopping)
            {
                while (_questions.TryDequeue(out var question)) question(); // before the first packet, too
                RunBatch();
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
}
