namespace FwCluster.Capture.Drops;

/// <summary>
/// Writes dropped packets to pcapng files, each with the reason as its comment, for Wireshark. The files are bounded in size and
/// number (<see cref="DropSettings"/>). Threads that drop packets hand them over by a <see cref="DropSource"/> of their own and never
/// wait; a thread of this object's own writes them.
/// </summary>
public sealed class DropWriter : IDisposable
{
    private const int Burst = 256;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly DropSettings _settings;
    private readonly TimeProvider _time;
    private readonly DropFiles _files;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private DropSource[] _sources = [];
    private bool _disposed;
    private long _written;
    private long _failed;
    private string? _lastError;
    private long? _failedAt;

    /// <summary>Begins to write. The first file appears with the first packet.</summary>
    /// <param name="settings">Where and how much.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ArgumentException">A setting is wrong.</exception>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be made or read.</exception>
    public DropWriter(DropSettings settings, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Error() is { } error) throw new ArgumentException(error, nameof(settings));
        _settings = settings;
        _time = time ?? TimeProvider.System;
        _files = new DropFiles(settings);
        _thread = new Thread(Run) { IsBackground = true, Name = "drops" };
        _thread.Start();
    }

    /// <summary>Packets in files, also in those that are gone.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Packets that found no room in memory.</summary>
    public long Lost => Volatile.Read(ref _sources).Sum(source => source.Lost);

    /// <summary>Packets that could not be written (see <see cref="LastError"/>).</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Why the last packet that failed did; null where none has. After a failure, writing is tried again each second.</summary>
    public string? LastError => Volatile.Read(ref _lastError);

    /// <summary>A way in for one more thread.</summary>
    public DropSource OpenSource()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var source = new DropSource(_settings);
            Volatile.Write(ref _sources, [.. _sources, source]);
            return source;
        }
    }

    /// <summary>Writes what waits, and ends. What comes later is counted as lost.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            foreach (var source in _sources) source.Close();
        }
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.Wait(_settings.FlushInterval)) Drain();
        Drain();
        Try(_files.Dispose);
    }

    private void Drain()
    {
        while (DrainRound())
        {
        }
        Try(_files.Flush);
    }

    /// <summary>Some of each source's, so that one which never ends does not keep the others waiting.</summary>
    /// <returns>False where nothing was there.</returns>
    private bool DrainRound()
    {
        var any = false;
        foreach (var source in Volatile.Read(ref _sources))
        {
            for (var i = 0; i < Burst && source.Ring.TryPeek(out var head, out var data, out var reason); i++)
            {
                Add(in head, data, reason);
                source.Ring.Remove(in head);
                any = true;
            }
        }
        return any;
    }

    private void Add(in DropRing.Head head, ReadOnlySpan<byte> data, ReadOnlySpan<byte> reason)
    {
        if (_failedAt is { } since && _time.GetElapsedTime(since) < RetryAfter)
        {
            Volatile.Write(ref _failed, _failed + 1);
            return;
        }
        try
        {
            _files.Add(in head, data, reason);
            _failedAt = null;
            Volatile.Write(ref _written, _written + 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Remember(exception); // first: who sees the count finds the reason
            Volatile.Write(ref _failed, _failed + 1);
        }
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Remember(exception);
        }
    }

    private void Remember(Exception exception)
    {
        _failedAt = _time.GetTimestamp();
        Volatile.Write(ref _lastError, exception.Message);
    }
}
