using System.Collections.Concurrent;
using FwCluster.Control.Nodes;
using FwCluster.Datapath;

namespace FwCluster.Control.Tests;

/// <summary>A worker on a thread of its own that processes what tests send, and answers questions in between.</summary>
internal sealed class WorkerThread : IWorkerAccess, IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public WorkerThread(PacketWorker worker)
    {
        Worker = worker;
        _thread = new Thread(() =>
        {
            foreach (var work in _work.GetConsumingEnumerable()) work();
        }) { IsBackground = true };
        _thread.Start();
    }

    public PacketWorker Worker { get; }

    public Task<T> Ask<T>(Func<PacketWorker, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                answer.SetResult(question(Worker));
            }
            catch (Exception e)
            {
                answer.SetException(e);
            }
        });
        return answer.Task;
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
