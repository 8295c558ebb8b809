using Akka.Configuration;
using Akka.Dispatch;
using FwCluster.Cluster.Links;

namespace FwCluster.Cluster.Shards;

/// <summary>Runs shards: at the end of the turn of the thread that has something for them, where it has one; else on the thread pool, in a turn of their own.
/// A shard is run by one thread at a time all the same.</summary>
internal sealed class ShardDispatcher : MessageDispatcher
{
    private ShardDispatcher(Maker maker)
        : base(maker) => Id = maker.Config.GetString("id");

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run)
    {
        if (!Turn.TryAdd(run)) ThreadPool.UnsafeQueueUserWorkItem(static r => RunAlone(r), run, preferLocal: false);
    }

    /// <inheritdoc/>
    protected override void Shutdown()
    {
        // It has no threads.
    }

    private static void RunAlone(IRunnable run)
    {
        using var turn = Turn.Begin();
        run.Run();
    }

    /// <summary>How <c>reference.conf</c> names it.</summary>
    public sealed class Maker : MessageDispatcherConfigurator
    {
        private readonly ShardDispatcher _dispatcher;

        /// <summary>Made by Akka.NET.</summary>
        public Maker(Config config, IDispatcherPrerequisites prerequisites)
            : base(config, prerequisites) => _dispatcher = new ShardDispatcher(this);

        /// <inheritdoc/>
        public override MessageDispatcher Dispatcher() => _dispatcher;
    }
}
