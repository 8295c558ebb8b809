using Akka.Actor;
using Akka.Cluster;
using Akka.Remote.Transport.DotNetty;

namespace FwCluster.Cluster;

/// <summary>
/// How this node leaves its cluster: by Akka.NET's coordinated shutdown, in its phases. Akka.NET begins one, too, where this node as a client meets a
/// certificate that it does not believe: one node whose certificate has expired would end every other one
/// that talks to it. That one is broken off in its first phase, and the node goes on; but a system has one coordinated shutdown only, so that such a
/// node leaves step by step without it.
/// </summary>
/// <param name="system">The node's actors.</param>
/// <param name="cluster">Its cluster.</param>
/// <param name="begin">Before anything else: shards are not wanted here any more.</param>
/// <param name="handedOver">Completes when all shards have gone.</param>
internal sealed class Departure(ActorSystem system, Akka.Cluster.Cluster cluster, Action begin, Func<Task> handedOver)
{
    private static readonly TimeSpan ExitTime = TimeSpan.FromSeconds(5);

    private readonly CoordinatedShutdown _shutdown = CoordinatedShutdown.Get(system);

    /// <summary>Puts this product's steps between Akka.NET's.</summary>
    public void Prepare()
    {
        _shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "certificates-end-nobody", () => IsBrokenOff
            ? Task.FromException<Akka.Done>(new InvalidOperationException("a certificate that is not believed is no reason to end"))
            : Task.FromResult(Akka.Done.Instance));
        _shutdown.AddTask(CoordinatedShutdown.PhaseBeforeClusterShutdown, "shards-are-not-wanted", () =>
        {
            begin();
            return Task.FromResult(Akka.Done.Instance);
        });
        _shutdown.AddTask(CoordinatedShutdown.PhaseClusterShardingShutdownRegion, "shards-go-on", async () =>
        {
            await handedOver().ConfigureAwait(false);
            return Akka.Done.Instance;
        });
        cluster.RegisterOnMemberRemoved(() =>
        {
            if (IsBrokenOff) _ = system.Terminate();
        });
    }

    /// <summary>Leaves; returns when the actors have ended.</summary>
    /// <param name="region">Where the shards are, which is told to hand them over; null where this node has none, or nobody takes them.</param>
    public async Task LeaveAsync(Func<IActorRef?> region)
    {
        try
        {
            await _shutdown.Run(CoordinatedShutdown.ClusterLeavingReason.Instance).ConfigureAwait(false);
        }
        catch (Exception) when (IsBrokenOff)
        {
            begin();
            region()?.Tell(Akka.Cluster.Sharding.GracefulShutdown.Instance);
            await handedOver().ConfigureAwait(false);
            cluster.Leave(cluster.SelfAddress);
            await ExitAsync().ConfigureAwait(false);
            await system.Terminate().ConfigureAwait(false);
        }
    }

    /// <summary>The transport's own reasons, of which it has this one, are not visible as types.</summary>
    private bool IsBrokenOff => _shutdown.ShutdownReason?.GetType().Assembly == typeof(DotNettySslSetup).Assembly;

    /// <summary>Whoever goes when the others have seen that it leaves is not missed.</summary>
    private async Task ExitAsync()
    {
        var end = Environment.TickCount64 + (long)ExitTime.TotalMilliseconds;
        while (Environment.TickCount64 < end && !system.WhenTerminated.IsCompleted
            && cluster.SelfMember.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up or MemberStatus.Leaving)
            await Task.Delay(TimeSpan.FromMilliseconds(20)).ConfigureAwait(false);
    }
}
