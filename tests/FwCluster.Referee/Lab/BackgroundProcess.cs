using System.Diagnostics;
using System.Text;

namespace FwCluster.Referee.Lab;

/// <summary>A program that runs beside the test, such as a server; killed with its children when disposed.</summary>
public sealed class BackgroundProcess : IDisposable
{
    // What it has said is read soon after its end; children of it may keep its outputs open.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly CountdownEvent _open = new(2);
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    internal BackgroundProcess(string file, IEnumerable<string> arguments)
    {
        _process = new Process { StartInfo = Command.StartInfo(file, arguments) };
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        _process.Start();
        Id = _process.Id;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The process's id.</summary>
    public int Id { get; }

    /// <summary>True once it ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit status, once it ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Where the test writes what the program reads.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Processor time that it has taken so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>What it wrote to standard output so far.</summary>
    public string Output => Read(_output);

    /// <summary>What it wrote to standard error so far.</summary>
    public string Error => Read(_error);

    /// <summary>Waits for its end; false when the time is over first. What it said is there when this returns.</summary>
    public bool WaitForExit(TimeSpan timeout)
    {
        if (!_process.WaitForExit(timeout)) return false;
        _open.Wait(LastWords);
        return true;
    }

    /// <summary>Waits until <paramref name="condition"/> holds, such as that a server listens.</summary>
    /// <exception cref="CommandFailedException">The program ended, or the time was over, before it did.</exception>
    public void WaitUntil(Func<bool> condition, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (WaitForExit(TimeSpan.Zero)) throw new CommandFailedException($"ended with {_process.ExitCode}: {Error}{Output}");
            if (watch.Elapsed > timeout) throw new CommandFailedException($"not ready after {timeout}: {Error}{Output}");
            Thread.Sleep(5);
        }
    }

    /// <summary>Sends a signal, such as 15 (SIGTERM) or 2 (SIGINT).</summary>
    public void Signal(int signal) => _ = Tmds.Linux.LibC.kill(_process.Id, signal);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit(TimeSpan.FromSeconds(5));
            }
        }
        catch (InvalidOperationException)
        {
            // It ended in between.
        }
        _process.Dispose();
    }

    private void Append(StringBuilder text, string? line)
    {
        if (line is null) _open.Signal(); // there is no more
        else lock (text) text.Append(line).Append('\n');
    }

    private static string Read(StringBuilder text)
    {
        lock (text) return text.ToString();
    }
}
