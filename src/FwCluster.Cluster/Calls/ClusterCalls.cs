using System.Collections.Concurrent;
using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using FwCluster.Cluster.Protocol.V1;
using Google.Protobuf;

namespace FwCluster.Cluster.Calls;

/// <summary>
/// Questions from node to node that may be of many megabytes: they and their answers go in pieces, the next one when the last one was taken, so that
/// a packet's question waits behind one piece at most. Rare things only: each piece is a round trip.
/// </summary>
public sealed class ClusterCalls
{
    /// <summary>Most bytes of a question, and of an answer.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>The name that a listener knows the traces of answers by: <c>cluster.call</c>, part of what the asking node traces.</summary>
    public const string TraceSource = "FwCluster.Cluster";

    /// <summary>Most bytes of a piece.</summary>
    internal const int PieceBytes = 64 * 1024;

    private static readonly ActivitySource Traces = new(TraceSource);
    private static readonly TimeSpan PieceTime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ulong, Open> _open = [];
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly ActorSystem _system;
    private Func<byte[], Task<byte[]>>? _answer;
    private ulong _last;

    internal ClusterCalls(ActorSystem system)
    {
        (_system, _cluster) = (system, Akka.Cluster.Cluster.Get(system));
        system.ActorOf(Props.Create(() => new CallActor(this)), CallActor.Name);
    }

    /// <summary>A member came, went, or is reached or not: <see cref="Members"/> may be others. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>This node's own number.</summary>
    public int Self => _cluster.SelfUniqueAddress.Uid;

    /// <summary>The nodes that are up, the oldest first.</summary>
    public IReadOnlyList<ClusterMember> Members
    {
        get
        {
            var state = _cluster.State;
            return [.. state.Members.Where(m => m.Status == MemberStatus.Up).OrderBy(m => m, Member.AgeOrdering)
                .Select(m => new ClusterMember(m.UniqueAddress.Uid, m.Address, m.Roles, !state.Unreachable.Any(u => u.UniqueAddress == m.UniqueAddress)))];
        }
    }

    /// <summary>Says what this node answers with. It is asked on any thread, and may be asked several things at once.</summary>
    public void Answer(Func<byte[], Task<byte[]>> answer) => _answer = answer;

    /// <summary>Asks a node, which may be this one.</summary>
    /// <exception cref="ClusterCallException">It does not answer.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    public async Task<byte[]> AskAsync(ClusterMember member, byte[] question, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(member);
        ArgumentNullException.ThrowIfNull(question);
        if (member.Uid == Self) return await (await AnswererAsync(cancellation).ConfigureAwait(false))(question).ConfigureAwait(false);
        var call = Interlocked.Increment(ref _last);
        var open = new Open(member.Uid);
        _open[call] = open;
        try
        {
            if (!Members.Any(m => m.Uid == member.Uid && m.IsReachable)) throw new ClusterCallException("it cannot be reached", hasArrived: false);
            await SendAsync(member.Address, member.Uid, call, isAnswer: false, question, open, cancellation).ConfigureAwait(false);
            return await open.Answer.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _open.TryRemove(call, out _);
        }
    }

    internal void MembersChanged()
    {
        var reachable = Members.Where(m => m.IsReachable).Select(m => m.Uid).ToHashSet();
        foreach (var open in _open.Values)
            if (!reachable.Contains(open.Uid)) open.Answer.TrySetException(new ClusterCallException("it cannot be reached any more", hasArrived: true));
        Changed?.Invoke();
    }

    internal void TakeAnswer(int from, ulong call, byte[] answer)
    {
        if (_open.TryGetValue(call, out var open) && open.Uid == from) open.Answer.TrySetResult(answer);
    }

    /// <summary>Answers what another node asked.</summary>
    internal async Task TakeQuestionAsync(Address from, int uid, ulong call, string traceParent, byte[] question)
    {
        using var trace = ActivityContext.TryParse(traceParent, null, isRemote: true, out var asked)
            ? Traces.StartActivity("cluster.call", ActivityKind.Server, asked)?.SetTag("client.address", from.ToString()) : null;
        try
        {
            var answer = await (await AnswererAsync(CancellationToken.None).ConfigureAwait(false))(question).ConfigureAwait(false);
            await SendAsync(from, uid, call, isAnswer: true, answer, open: null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ClusterCallException)
        {
            // Who asked is gone, or will hear that nobody answered.
        }
    }

    /// <summary>A node is asked as soon as it is a member, and answers as soon as it can.</summary>
    private async Task<Func<byte[], Task<byte[]>>> AnswererAsync(CancellationToken cancellation)
    {
        var end = Environment.TickCount64 + (long)PieceTime.TotalMilliseconds;
        while (_answer is null)
        {
            if (Environment.TickCount64 > end) throw new ClusterCallException("it does not answer such questions", hasArrived: false);
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation).ConfigureAwait(false);
        }
        return _answer;
    }

    private async Task SendAsync(Address to, int uid, ulong call, bool isAnswer, byte[] bytes, Open? open, CancellationToken cancellation)
    {
        if (bytes.Length > MaxBytes) throw new ClusterCallException($"{bytes.Length} bytes are too many for it; {MaxBytes} are right", hasArrived: false);
        var actor = _system.ActorSelection(new RootActorPath(to) / "user" / CallActor.Name);
        var pieces = Math.Max(1, (bytes.Length + PieceBytes - 1) / PieceBytes);
        for (var number = 0; number < pieces; number++)
        {
            var start = number * PieceBytes;
            var piece = new CallPiece
            {
                From = Self, To = uid, Call = call, IsAnswer = isAnswer, Number = (uint)number, IsLast = number == pieces - 1,
                TraceParent = number == 0 && !isAnswer && Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : "",
                Bytes = ByteString.CopyFrom(bytes, start, Math.Min(PieceBytes, bytes.Length - start)),
            };
            var taken = actor.Ask<CallPieceTaken>(piece, PieceTime, cancellation);
            if (open is not null && await Task.WhenAny(taken, open.Answer.Task).ConfigureAwait(false) != taken)
            {
                _ = taken.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                if (open.Answer.Task.IsCompletedSuccessfully) return; // its answer overtook that the last piece was taken
                throw new ClusterCallException("it cannot be reached any more", hasArrived: piece.IsLast);
            }
            try
            {
                if (!(await taken.ConfigureAwait(false)).IsGood) throw new ClusterCallException("it could not take all of the question", hasArrived: false);
            }
            catch (Exception e) when (e is AskTimeoutException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                throw new ClusterCallException("it does not answer", hasArrived: piece.IsLast);
            }
        }
    }

    private sealed class Open(int uid)
    {
        public int Uid { get; } = uid;

        public TaskCompletionSource<byte[]> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
