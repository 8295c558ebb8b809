using System.Diagnostics;

namespace FwCluster.Fuzz.Engine;

/// <summary>Runs inputs under the target's limits. A thread beside ends the process when one takes too long.</summary>
internal sealed class InputRunner : IDisposable
{
    /// <summary>The exit code after an input that took too long.</summary>
    public const int HangExitCode = 99;

    private readonly FuzzTarget _target;
    private readonly Timer _watchdog;
    private long _started;

    public InputRunner(FuzzTarget target)
    {
        _target = target;
        _watchdog = new Timer(_ => Watch(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.5));
    }

    /// <summary>Runs an input; what was wrong with it, or null.</summary>
    public Exception? Run(ReadOnlySpan<byte> input)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Volatile.Write(ref _started, Stopwatch.GetTimestamp());
        try
        {
            _target.Run(input);
        }
        catch (Exception exception)
        {
            return exception;
        }
        finally
        {
            Volatile.Write(ref _started, 0);
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        return allocated <= _target.MaxAllocatedBytes
            ? null
            : new InvalidOperationException($"{input.Length} bytes of input made {allocated:N0} bytes of garbage; the limit is {_target.MaxAllocatedBytes:N0}");
    }

    /// <inheritdoc/>
    public void Dispose() => _watchdog.Dispose();

    private void Watch()
    {
        var started = Volatile.Read(ref _started);
        if (started == 0 || Stopwatch.GetElapsedTime(started) <= _target.MaxTime) return;
        Console.Error.WriteLine($"still running after {_target.MaxTime.TotalSeconds} s");
        Environment.Exit(HangExitCode);
    }
}
