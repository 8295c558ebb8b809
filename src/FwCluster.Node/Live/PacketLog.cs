using System.Text;
using FwCluster.Datapath.Logging;
using FwCluster.Rules.Evaluation;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Live;

/// <summary>
/// What LOG and NFLOG rules meet, in the daemon's log. The packet's thread writes the line into a ring and goes on; a thread of this
/// object's own hands it to the log. What finds no room in the ring is counted, not logged.
/// </summary>
internal sealed partial class PacketLog : IPacketLog, IDisposable
{
    private readonly ManualResetEventSlim _something = new();
    private readonly Thread _thread;
    private ILogger? _log;
    private volatile bool _isStopping;
    private long _lost;
    private Ring _writing; // the packet's thread's
    private Ring _reading; // the log's thread's: behind _writing for a moment, where the size has changed

    /// <summary>Makes the ring; what comes before <see cref="Start"/> waits in it.</summary>
    /// <param name="waiting">Lines that may wait.</param>
    public PacketLog(int waiting)
    {
        _writing = _reading = new Ring(waiting);
        _thread = new Thread(Run) { Name = "packet log", IsBackground = true };
    }

    /// <summary>Packets that found no room. Any thread may ask.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Begins to hand lines to a log.</summary>
    public void Start(ILogger log)
    {
        _log = log;
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Log(in PacketContext packet, in LogRequest request)
    {
        var ring = _writing;
        var written = ring.Written;
        if (written - Volatile.Read(ref ring.Read) == ring.Entries.Length)
        {
            Volatile.Write(ref _lost, _lost + 1);
            return;
        }
        ref var entry = ref ring.Entries[written % ring.Entries.Length];
        entry.Request = request;
        // An event has its prefix as a field of its own.
        var line = request.Group < 0 ? request : request with { Prefix = "" };
        entry.Length = LogLine.Write(in packet, in line, entry.Line);
        Volatile.Write(ref ring.Written, written + 1);
        Interlocked.MemoryBarrier(); // or the event could be seen set as it was before the log's thread last looked
        if (!_something.IsSet) _something.Set();
    }

    /// <summary>Has so many lines wait from now on; those that wait are logged first. On the packet's thread.</summary>
    public void Resize(int waiting)
    {
        if (waiting == _writing.Entries.Length) return;
        var next = new Ring(waiting);
        Volatile.Write(ref _writing.Next, next);
        _writing = next;
    }

    /// <summary>Logs what waits, and ends. The packet's thread has ended before.</summary>
    public void Dispose()
    {
        if (_isStopping) return;
        _isStopping = true;
        _something.Set();
        if (_thread.IsAlive) _thread.Join();
        _something.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            var isLast = _isStopping;
            _something.Reset();
            Drain();
            if (isLast) return;
            _something.Wait();
        }
    }

    private void Drain()
    {
        while (true)
        {
            // Asked before: what is followed by another ring has all that it will ever have.
            var next = Volatile.Read(ref _reading.Next);
            Drain(_reading);
            if (next is null) return;
            _reading = next;
        }
    }

    private void Drain(Ring ring)
    {
        for (var read = ring.Read; read != Volatile.Read(ref ring.Written); Volatile.Write(ref ring.Read, ++read))
        {
            ref var entry = ref ring.Entries[read % ring.Entries.Length];
            var level = entry.Request.Group < 0 ? LevelOf(entry.Request.Level) : LogLevel.Information;
            if (!_log!.IsEnabled(level)) continue;
            var line = Encoding.UTF8.GetString(entry.Line.AsSpan(0, entry.Length)).TrimEnd();
            if (entry.Request.Group < 0) LogPacket(_log, level, line);
            else LogEvent(_log, entry.Request.Group, entry.Request.Prefix, line);
        }
    }

    /// <summary>A level of syslog (<c>--log-level</c>), for the daemon's log.</summary>
    private static LogLevel LevelOf(byte syslog) => syslog switch
    {
        <= 2 => LogLevel.Critical,
        3 => LogLevel.Error,
        4 => LogLevel.Warning,
        5 or 6 => LogLevel.Information,
        _ => LogLevel.Debug,
    };

    [LoggerMessage(EventId = 1, EventName = "LOG", Message = "{Line}")]
    private static partial void LogPacket(ILogger log, LogLevel level, string line);

    [LoggerMessage(EventId = 2, EventName = "NFLOG", Level = LogLevel.Information, Message = "NFLOG group={Group} prefix={Prefix} {Line}")]
    private static partial void LogEvent(ILogger log, int group, string prefix, string line);

    /// <summary>Lines on their way. <see cref="Written"/> is set by the packet's thread alone, <see cref="Read"/> by the log's thread alone; they only
    /// grow.</summary>
    private sealed class Ring
    {
        public readonly Entry[] Entries;
        public long Written;
        public long Read;
        public Ring? Next;

        public Ring(int waiting)
        {
            Entries = new Entry[waiting];
            for (var i = 0; i < waiting; i++) Entries[i].Line = new byte[LogLine.MaxBytes];
        }
    }

    private struct Entry
    {
        public LogRequest Request;
        public byte[] Line;
        public int Length;
    }
}
