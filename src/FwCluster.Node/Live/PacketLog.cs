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
    private readonly Entry[] _ring;
    private readonly ManualResetEventSlim _something = new();
    private readonly Thread _thread;
    private ILogger? _log;
    private volatile bool _isStopping;
    private long _lost;

    // Written by the packet's thread alone, and by the log's thread alone. They only grow.
    private long _written;
    private long _read;

    /// <summary>Makes the ring; what comes before <see cref="Start"/> waits in it.</summary>
    /// <param name="waiting">Lines that may wait.</param>
    public PacketLog(int waiting)
    {
        _ring = new Entry[waiting];
        for (var i = 0; i < waiting; i++) _ring[i].Line = new byte[LogLine.MaxBytes];
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
        var written = _written;
        if (written - Volatile.Read(ref _read) == _ring.Length)
        {
            Volatile.Write(ref _lost, _lost + 1);
            return;
        }
        ref var entry = ref _ring[written % _ring.Length];
        entry.Request = request;
        // An event has its prefix as a field of its own.
        var line = request.Group < 0 ? request : request with { Prefix = "" };
        entry.Length = LogLine.Write(in packet, in line, entry.Line);
        Volatile.Write(ref _written, written + 1);
        Interlocked.MemoryBarrier(); // or the event could be seen set as it was before the log's thread last looked
        if (!_something.IsSet) _something.Set();
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
        for (var read = _read; read != Volatile.Read(ref _written); Volatile.Write(ref _read, ++read))
        {
            ref var entry = ref _ring[read % _ring.Length];
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

    private struct Entry
    {
        public LogRequest Request;
        public byte[] Line;
        public int Length;
    }
}
