using System.Collections.Concurrent;
using FwCluster.Node.Live;

namespace FwCluster.Node.Tests;

/// <summary>Who brings answers takes them up, or whoever has the worker just then.</summary>
public sealed class PortLoopTests
{
    private const int Answers = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void NoAnswerIsLeftToWaitForThePort()
    {
        using var loop = new Loop { IsBusy = true };
        loop.Start();
        for (var i = 1; i <= Answers; i++)
        {
            loop.Bring();
            Assert.True(SpinWait.SpinUntil(() => loop.Taken == i, Patience), $"{loop.Taken} of {i} were taken");
        }
    }

    [Fact]
    public async Task WhatFailsWhereAnswersAreTakenEndsTheLoop()
    {
        using var loop = new Loop { Failure = new InvalidOperationException("broken") };
        loop.Start();
        await loop.IsWaiting.WaitAsync(TestContext.Current.CancellationToken);
        loop.Bring(); // whoever brings it goes on
        Assert.Same(loop.Failure, await Assert.ThrowsAsync<InvalidOperationException>(() => loop.Ended.WaitAsync(Patience, TestContext.Current.CancellationToken)));
    }

    private sealed class Loop() : PortLoop("test")
    {
        private readonly ConcurrentQueue<int> _answers = new();
        private readonly SemaphoreSlim _woken = new(0);
        private volatile int _taken;

        /// <summary>Released each time that it waits.</summary>
        public SemaphoreSlim IsWaiting { get; } = new(0);

        /// <summary>There are always packets.</summary>
        public bool IsBusy { get; init; }

        public Exception? Failure { get; init; }

        public int Taken => _taken;

        public override PortCounts Counts => new("test", "test", 0, null);

        public void Bring()
        {
            _answers.Enqueue(0);
            TakeAnswers();
        }

        public override void Wake()
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }

        protected override void RunBatch()
        {
            using (Have()) Thread.SpinWait(20); // it takes up no answers by itself
            if (IsBusy) return;
            IsWaiting.Release();
            _woken.Wait();
        }

        protected override void Advance()
        {
            if (!_answers.IsEmpty && Failure is not null) throw Failure;
            while (_answers.TryDequeue(out _)) _taken++;
        }

        protected override void Close()
        {
            IsWaiting.Dispose();
            _woken.Dispose();
        }
    }
}
