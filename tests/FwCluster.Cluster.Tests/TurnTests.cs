using System.Collections.Concurrent;
using Akka.Actor;
using FwCluster.Cluster.Links;

namespace FwCluster.Cluster.Tests;

/// <summary>Actors of shards are run by the thread that has something for them, at the end of its turn.</summary>
public sealed class TurnTests : IAsyncDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("test", """
        akka.loglevel = OFF
        fwcluster.shards { type = "FwCluster.Cluster.Shards.ShardDispatcher+Maker, FwCluster.Cluster" }
        """);

    [Fact]
    public async Task ATurnRunsWhatItGaveSomething()
    {
        var got = new ConcurrentQueue<(object Message, int Thread)>();
        var actor = await StartAsync(got);
        Run(() =>
        {
            using (Turn.Begin())
            {
                actor.Tell("first");
                using (Turn.Begin()) actor.Tell("second"); // a part of the same
                Assert.Empty(got);
            }
            Assert.Equal([("first", Environment.CurrentManagedThreadId), ("second", Environment.CurrentManagedThreadId)], got);
        });
    }

    [Fact]
    public async Task WhoHasNoTurnLeavesItToAnother()
    {
        var got = new ConcurrentQueue<(object Message, int Thread)>();
        var actor = await StartAsync(got);
        Run(() =>
        {
            actor.Tell("now");
            Assert.True(SpinWait.SpinUntil(() => !got.IsEmpty, TimeSpan.FromSeconds(30)));
            Assert.NotEqual(Environment.CurrentManagedThreadId, got.Single().Thread);
        });
    }

    /// <summary>Each thread's messages come in its order, one at a time.</summary>
    [Fact]
    public async Task AnActorIsRunByOneThreadAtATime()
    {
        const int Threads = 6;
        const int Rounds = 5000;
        var next = new int[Threads];
        var inside = 0;
        var wrong = 0;
        var done = new CountdownEvent(Threads * Rounds * 2);
        var actor = Start(message =>
        {
            if (Interlocked.Increment(ref inside) != 1) Interlocked.Increment(ref wrong);
            var (thread, number) = ((int, int))message;
            if (next[thread]++ != number) Interlocked.Increment(ref wrong);
            Interlocked.Decrement(ref inside);
            done.Signal();
        });
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                using var turn = Turn.Begin();
                actor.Tell((thread, 2 * i));
                actor.Tell((thread, 2 * i + 1));
            }
        })));
        Assert.True(done.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken), $"{done.CurrentCount} did not come");
        Assert.Equal(0, wrong);
    }

    public async ValueTask DisposeAsync() => await _system.Terminate();

    private async Task<IActorRef> StartAsync(ConcurrentQueue<(object Message, int Thread)> got)
    {
        var actor = Start(message => got.Enqueue((message, Environment.CurrentManagedThreadId)));
        await actor.Ask<ActorIdentity>(new Identify(null), TimeSpan.FromSeconds(30)); // it has started
        return actor;
    }

    private IActorRef Start(Action<object> listen) => _system.ActorOf(Props.Create(() => new Listener(listen)).WithDispatcher("fwcluster.shards"));

    /// <summary>On a thread that nobody else has.</summary>
    private static void Run(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) throw new InvalidOperationException("on its thread", failure);
    }

    private sealed class Listener(Action<object> listen) : UntypedActor
    {
        protected override void OnReceive(object message) => listen(message);
    }
}
