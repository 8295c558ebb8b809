using System.Collections.Concurrent;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Control.Tests;

/// <summary>A worker on a thread of its own that processes what tests send, and answers questions in between.</summary>
internal sealed class WorkerThread : IWorkerAccess, IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    private WorkerThread(PacketWorker worker)
    {
        Worker = worker;
        _thread = new Thread(() =>
        {
            foreach (var work in _work.GetConsumingEnumerable()) work();
        }) { IsBackground = true };
        _thread.Start();
    }

    public PacketWorker Worker { get; }

    /// <summary>A worker without shards.</summary>
    public static WorkerThread Of(InForce rules, ConntrackSettings tracking)
    {
        if (!ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out var error)) throw new InvalidOperationException(error);
        return new WorkerThread(new PacketWorker(
            ActiveRuleset.From(CompiledRuleset.Compile(rules.Rules.IPv4)), ActiveRuleset.From(CompiledRuleset.Compile(rules.Rules.IPv6)),
            new ConnectionTable(tracking, helpers), HostAddresses.None));
    }

    /// <summary>Has it process packets, one after the other.</summary>
    public Task SendAsync(params byte[][] packets) => Ask(worker =>
    {
        foreach (var packet in packets)
        {
            worker.Process(new PacketInput
            {
                Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100, Way = PacketWay.Forward,
            });
        }
        return true;
    });

    public Task<T> Ask<T>(Func<PacketWorker, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() => answer.Answer(() => question(Worker)));
        return answer.Task;
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
