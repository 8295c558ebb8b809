using System.Buffers;
using Akka.Actor;
using Akka.Cluster;
using FwCluster.Cluster.Protocol.V1;

namespace FwCluster.Cluster.Calls;

/// <summary>Puts together the pieces of what other nodes ask and answer.</summary>
internal sealed class CallActor : UntypedActor, IWithTimers
{
    /// <summary>Its name below /user on every node.</summary>
    public const string Name = "calls";

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(int From, ulong Call, bool IsAnswer), Assembly> _assemblies = [];
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ClusterCalls _calls;

    public CallActor(ClusterCalls calls) => _calls = calls;

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent), typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(nameof(Sweep), Sweep.Instance, SweepInterval);
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case CallPiece piece when piece.To == _calls.Self:
                Sender.Tell(new CallPieceTaken { IsGood = Take(piece) }, Self);
                break;
            case CallPiece:
                Sender.Tell(new CallPieceTaken { IsGood = false }, Self); // it was for who had this address before
                break;
            case ClusterEvent.MemberRemoved removed:
                foreach (var key in _assemblies.Keys.Where(k => k.From == removed.Member.UniqueAddress.Uid).ToArray()) _assemblies.Remove(key);
                _calls.MembersChanged();
                break;
            case ClusterEvent.IMemberEvent or ClusterEvent.IReachabilityEvent:
                _calls.MembersChanged();
                break;
            case Sweep:
                var old = Environment.TickCount64 - (long)Patience.TotalMilliseconds;
                foreach (var key in _assemblies.Where(a => a.Value.LastPiece < old).Select(a => a.Key).ToArray()) _assemblies.Remove(key);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private bool Take(CallPiece piece)
    {
        var key = (piece.From, piece.Call, piece.IsAnswer);
        if (piece.Number == 0) _assemblies[key] = new Assembly(piece.TraceParent);
        if (!_assemblies.TryGetValue(key, out var assembly)) return false;
        if (!assembly.TryAdd(piece))
        {
            _assemblies.Remove(key);
            return false;
        }
        if (!piece.IsLast) return true;
        _assemblies.Remove(key);
        var bytes = assembly.ToArray();
        var from = Sender.Path.Address;
        if (piece.IsAnswer) _calls.TakeAnswer(piece.From, piece.Call, bytes);
        else _ = Task.Run(() => _calls.TakeQuestionAsync(from, piece.From, piece.Call, assembly.TraceParent, bytes));
        return true;
    }

    private sealed class Assembly(string traceParent)
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();
        private uint _next;

        public string TraceParent { get; } = traceParent;

        public long LastPiece { get; private set; }

        public bool TryAdd(CallPiece piece)
        {
            if (piece.Number != _next || piece.Bytes.Length > ClusterCalls.PieceBytes || _bytes.WrittenCount + piece.Bytes.Length > ClusterCalls.MaxBytes) return false;
            _next++;
            LastPiece = Environment.TickCount64;
            _bytes.Write(piece.Bytes.Span);
            return true;
        }

        public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
    }

    private sealed class Sweep
    {
        public static readonly Sweep Instance = new();
    }
}
