using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FwCluster.Api.V1;
using FwCluster.Conntrack;
using Google.Protobuf.WellKnownTypes;
using Entry = FwCluster.Conntrack.Connection;
using Kind = FwCluster.Api.V1.ConntrackEvent.Types.Kind;

namespace FwCluster.Control.Nodes;

/// <summary>
/// What happens in a table, told to those who watch. The table's owner copies an entry into a ring and goes on; a task reads the ring and
/// makes messages. While nobody watches, it tells nothing.
/// </summary>
internal sealed class ConntrackEvents(ITableAccess access, ConnectionMessages messages) : IDisposable
{
    private const int WatcherCapacity = 8192;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _attaching = new(1);
    private readonly ConcurrentDictionary<Watcher, bool> _watchers = [];

    /// <summary>What happens from now on to what matches.</summary>
    public async IAsyncEnumerable<ConntrackEvent> WatchAsync(ConnectionMatcher matcher, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var watcher = new Watcher(matcher);
        await AddAsync(watcher).ConfigureAwait(false);
        try
        {
            yield return new ConntrackEvent { Kind = Kind.Watching, Time = Timestamp.FromDateTime(DateTime.UtcNow) };
            await foreach (var told in watcher.Events.Reader.ReadAllAsync(cancellation).ConfigureAwait(false)) yield return told;
        }
        finally
        {
            _watchers.TryRemove(watcher, out _);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _attaching.Dispose();

    private async Task AddAsync(Watcher watcher)
    {
        await _attaching.WaitAsync().ConfigureAwait(false);
        try
        {
            _watchers[watcher] = true;
            var attached = await access.Ask((table, _) =>
            {
                if (table.Events is Ring) return null;
                var ring = new Ring(table, access.IsOwner);
                table.Events = ring;
                return ring;
            }).ConfigureAwait(false);
            if (attached is not null) _ = ReadAsync(attached);
        }
        finally
        {
            _attaching.Release();
        }
    }

    /// <summary>Reads until nobody watches any more, and detaches then.</summary>
    private async Task ReadAsync(Ring ring)
    {
        while (true)
        {
            await Task.Delay(Interval).ConfigureAwait(false);
            ring.Drain(Tell);
            if (!_watchers.IsEmpty) continue;
            await _attaching.WaitAsync().ConfigureAwait(false);
            try
            {
                if (!_watchers.IsEmpty) continue;
                await access.Ask((table, _) => table.Events = null).ConfigureAwait(false);
                return;
            }
            catch (TableGoneException)
            {
                return;
            }
            finally
            {
                _attaching.Release();
            }
        }
    }

    private void Tell(in Record told, ConnectionTable table, ulong lost)
    {
        ConntrackEvent? message = null;
        foreach (var (watcher, _) in _watchers)
        {
            watcher.Lost += lost;
            if (told.Kind == Kind.Unspecified || !watcher.Matcher.Matches(in told.Entry, table)) continue;
            watcher.Tell(message ??= Message(in told));
        }
    }

    private ConntrackEvent Message(in Record told)
    {
        var now = (told.Ticks - DateTime.UnixEpoch.Ticks) * TimeSpan.NanosecondsPerTick;
        var message = new ConntrackEvent { Kind = told.Kind, Time = Timestamp.FromDateTime(new DateTime(told.Ticks, DateTimeKind.Utc)) };
        if (told.Expectation is { } expectation) message.Expectation = messages.Expectation(expectation, in told.Entry, now);
        else message.Connection = messages.Connection(in told.Entry, now);
        return message;
    }

    /// <summary>One who watches. Told by the reading task alone.</summary>
    private sealed class Watcher(ConnectionMatcher matcher)
    {
        public ConnectionMatcher Matcher { get; } = matcher;

        public Channel<ConntrackEvent> Events { get; } = Channel.CreateBounded<ConntrackEvent>(new BoundedChannelOptions(WatcherCapacity) { SingleReader = true });

        /// <summary>Events lost since the last one told.</summary>
        public ulong Lost { get; set; }

        public void Tell(ConntrackEvent message)
        {
            if (Lost > 0) message = new ConntrackEvent(message) { Lost = Lost };
            if (Events.Writer.TryWrite(message)) Lost = 0;
            else Lost++;
        }
    }

    /// <summary>An event as the worker notes it.</summary>
    private struct Record
    {
        public Kind Kind;
        public long Ticks;
        public Entry Entry;
        public Expectation? Expectation;
    }

    /// <summary>Where the worker notes events: it never waits, and what finds no room is counted.</summary>
    private sealed class Ring(ConnectionTable table, bool isOwner) : IConnectionEvents
    {
        private const int Size = 8192;

        private readonly Record[] _records = new Record[Size];
        private long _written; // by the worker
        private long _read; // by the reading task
        private long _lost; // by the worker
        private long _lostTold; // by the reading task

        public delegate void Reader(in Record told, ConnectionTable table, ulong lost);

        public void Began(int index, in Entry connection) => Note(Kind.New, in connection, null);

        public void Changed(int index, in Entry connection) => Note(Kind.Update, in connection, null);

        /// <summary>What a worker holds ends with its shard's entry, which tells it.</summary>
        public void Ended(int index, in Entry connection)
        {
            if (isOwner) Note(Kind.Destroy, in connection, null);
        }

        public void Expected(Expectation expectation, in Entry master) => Note(Kind.Expectation, in master, expectation);

        public void Drain(Reader reader)
        {
            var lost = Volatile.Read(ref _lost);
            var news = (ulong)(lost - _lostTold);
            _lostTold = lost;
            if (news > 0) reader(default, table, news);
            for (var read = _read; read != Volatile.Read(ref _written); Volatile.Write(ref _read, ++read))
            {
                ref var record = ref _records[read % Size];
                reader(in record, table, 0);
                record.Expectation = null;
            }
        }

        private void Note(Kind kind, in Entry entry, Expectation? expectation)
        {
            if (_written - Volatile.Read(ref _read) >= Size)
            {
                Volatile.Write(ref _lost, _lost + 1);
                return;
            }
            ref var record = ref _records[_written % Size];
            record.Kind = kind;
            record.Ticks = DateTime.UtcNow.Ticks;
            record.Entry = entry;
            record.Expectation = expectation;
            Volatile.Write(ref _written, _written + 1);
        }
    }
}
