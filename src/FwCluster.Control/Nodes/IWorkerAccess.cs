using FwCluster.Datapath;

namespace FwCluster.Control.Nodes;

/// <summary>A worker that runs on a thread of its own, and the way to ask it something.</summary>
public interface IWorkerAccess
{
    /// <summary>The worker. From other threads only <see cref="PacketWorker.Change"/>, its rules' counters and its statistics may be used.</summary>
    PacketWorker Worker { get; }

    /// <summary>Asks something of the worker, on its thread. Packets wait meanwhile: the question is to be short.</summary>
    Task<T> Ask<T>(Func<PacketWorker, T> question);
}
