using FwCluster.Node.Metrics;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>Turns that several share.</summary>
public sealed class SharedTurnsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _mayEnd = new(0);
    private int _running;
    private bool _overlapped;
    private int _turns;

    [Fact]
    public async Task WhoAsksDuringATurnSharesTheOneAfterIt()
    {
        var turns = new SharedTurns(TurnAsync);
        var first = turns.Next();
        await BegunAsync();
        var second = turns.Next();
        Assert.NotSame(first, second);
        Assert.Same(second, turns.Next());
        _mayEnd.Release();
        await first.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await BegunAsync();
        Assert.False(second.IsCompleted);
        var third = turns.Next(); // the second has begun: it is not for who asks now
        Assert.NotSame(second, third);
        _mayEnd.Release(2);
        await third.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal((3, false), (_turns, _overlapped));
    }

    [Fact]
    public async Task EachGetsATurnThatBeginsLaterAndNoTwoRunAtATime()
    {
        const int Askers = 8, Times = 200;
        _mayEnd.Release(Askers * Times);
        var turns = new SharedTurns(TurnAsync);
        await Task.WhenAll(Enumerable.Range(0, Askers).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < Times; i++)
            {
                var before = Volatile.Read(ref _turns);
                await turns.Next();
                Assert.True(Volatile.Read(ref _turns) > before, "no turn began");
            }
        }))).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.False(_overlapped);
        Assert.InRange(_turns, Times, Askers * Times);
    }

    public void Dispose()
    {
        _begun.Dispose();
        _mayEnd.Dispose();
    }

    private async Task BegunAsync() => Assert.True(await _begun.WaitAsync(Patience, TestContext.Current.CancellationToken));

    private async Task TurnAsync()
    {
        if (Interlocked.Increment(ref _running) > 1) _overlapped = true;
        Interlocked.Increment(ref _turns);
        _begun.Release();
        await _mayEnd.WaitAsync();
        await Task.Yield();
        Interlocked.Decrement(ref _running);
    }
}
