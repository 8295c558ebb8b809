using System.Diagnostics;
using System.Threading.Channels;
using FwCluster.Cluster.Calls;

namespace FwCluster.Cluster.Tests;

/// <summary>What nodes ask each other besides packets.</summary>
[Collection(TestNode.Clusters)]
public sealed class CallTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task QuestionsAndAnswersMayBeLargeAndWhoIsGoneIsTold()
    {
        var nodes = await TestNode.ClusterAsync(2);
        var (first, second) = (nodes[0].Node.Calls, nodes[1].Node.Calls);
        var hangs = new TaskCompletionSource<byte[]>();
        try
        {
            second.Answer(question => question.Length == 1 ? hangs.Task : Task.FromResult((byte[])[.. question.Reverse()]));
            var members = first.Members;
            Assert.Equal([first.Self, second.Self], members.Select(m => m.Uid)); // the oldest first
            Assert.All(members, m => Assert.Contains(ClusterRoles.Control, m.Roles));

            // Larger than a message may be; several at once; nothing.
            var sizes = (int[])[0, ClusterCalls.PieceBytes, ClusterCalls.PieceBytes + 1, 5_000_000];
            var answers = await Task.WhenAll(sizes.Select(size => first.AskAsync(members[1], Bytes(size), TestContext.Current.CancellationToken))).WaitAsync(Patience, TestContext.Current.CancellationToken);
            Assert.All(sizes.Zip(answers), pair => Assert.Equal(Bytes(pair.First).Reverse(), pair.Second));

            // Part of the trace that asks, on the other side.
            using var traced = new Traced();
            using (var asks = new Activity("asks").SetIdFormat(ActivityIdFormat.W3C).Start())
            {
                asks.ActivityTraceFlags = ActivityTraceFlags.Recorded;
                await first.AskAsync(members[1], Bytes(3), TestContext.Current.CancellationToken);
                var span = await traced.NextAsync(asks.TraceId);
                Assert.Equal(("cluster.call", asks.SpanId, ActivityKind.Server), (span.DisplayName, span.ParentSpanId, span.Kind));
                Assert.Equal(nodes[0].Node.Address.ToString(), span.GetTagItem("client.address"));
            }

            // Who is lost while he thinks; and then he is not there.
            var lost = first.AskAsync(members[1], [1], TestContext.Current.CancellationToken);
            await nodes[1].DisposeAsync();
            Assert.True((await Assert.ThrowsAsync<ClusterCallException>(() => lost.WaitAsync(Patience, TestContext.Current.CancellationToken))).HasArrived);
            Assert.False((await Assert.ThrowsAsync<ClusterCallException>(() => first.AskAsync(members[1], [2], TestContext.Current.CancellationToken))).HasArrived);
        }
        finally
        {
            hangs.TrySetResult([]);
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task ANodeThatHasItsOwnRulesIsNotLetInWhereAllAgree()
    {
        await using var node = (await TestNode.ClusterAsync(1, (_, settings) => settings with { AgreesOnRules = true }))[0];
        await using var stranger = await TestNode.StartAsync(TestNode.Settings(node.Seed));
        var problem = await Assert.ThrowsAsync<ClusterSettingsException>(() => stranger.Node.Joined.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.StartsWith($"rules: {node.Node.Address} has rules that all nodes agree on", problem.Message, StringComparison.Ordinal);
        Assert.Contains("control.directory", problem.Message, StringComparison.Ordinal);
    }

    /// <summary>Somebody listens to the traces of calls.</summary>
    private sealed class Traced : IDisposable
    {
        private readonly Channel<Activity> _spans = Channel.CreateUnbounded<Activity>();
        private readonly ActivityListener _listener;

        public Traced()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == ClusterCalls.TraceSource,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => _spans.Writer.TryWrite(span),
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public async Task<Activity> NextAsync(ActivityTraceId trace)
        {
            while (true)
                if (await _spans.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience) is { } span && span.TraceId == trace)
                    return span;
        }

        public void Dispose() => _listener.Dispose();
    }

    private static byte[] Bytes(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(i * 7 / 3))];
}
