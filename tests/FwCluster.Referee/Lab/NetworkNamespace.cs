using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text;
using static Tmds.Linux.LibC;

namespace FwCluster.Referee.Lab;

/// <summary>
/// A network namespace made for a test. Commands run inside it by <c>ip netns exec</c>; code runs inside it on a thread that
/// entered it, and a socket opened there stays in the namespace whoever uses it.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly List<BackgroundProcess> _background = [];
    private readonly Thread _thread;
    private bool _disposed;

    internal NetworkNamespace(string name)
    {
        Name = name;
        Command.Run("ip", ["netns", "add", name]);
        _thread = new Thread(Serve) { IsBackground = true, Name = name };
        _thread.Start();
        Run(Enter);
        Ip("link set lo up");
    }

    /// <summary>The name that <c>ip netns</c> knows it by.</summary>
    public string Name { get; }

    /// <summary>Runs code inside the namespace, on its own thread, and waits for it.</summary>
    public void Run(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        using var done = new ManualResetEventSlim();
        ExceptionDispatchInfo? failure = null;
        _work.Add(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
            finally
            {
                done.Set();
            }
        });
        done.Wait();
        failure?.Throw();
    }

    /// <summary>Runs code inside the namespace and returns what it made, for example a socket.</summary>
    public T Run<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        T result = default!;
        Run(() => { result = function(); });
        return result;
    }

    /// <summary>Runs a command inside and returns its output; a failure is an exception that quotes what it said.</summary>
    public string Execute(string file, IEnumerable<string> arguments, string? input = null, TimeSpan? timeout = null)
        => Command.Run("ip", ["netns", "exec", Name, file, .. arguments], input, timeout);

    /// <summary>Runs a command line (words separated by blanks, no quoting) inside and returns its output.</summary>
    public string Execute(string commandLine, string? input = null)
    {
        var words = Words(commandLine);
        return Execute(words[0], words[1..], input);
    }

    /// <summary>Runs a command inside and says what came of it.</summary>
    public CommandResult TryExecute(string file, IEnumerable<string> arguments, string? input = null, TimeSpan? timeout = null)
        => Command.TryRun("ip", ["netns", "exec", Name, file, .. arguments], input, timeout);

    /// <summary>Starts a program inside; it is killed at the latest when the namespace is disposed.</summary>
    public BackgroundProcess Start(string file, IEnumerable<string> arguments)
    {
        var process = new BackgroundProcess("ip", ["netns", "exec", Name, file, .. arguments]);
        _background.Add(process);
        return process;
    }

    /// <summary>Runs <c>ip -n NAME ...</c>, words separated by blanks: <c>link set eth0 up</c>.</summary>
    public string Ip(string commandLine) => Command.Run("ip", ["-n", Name, .. Words(commandLine)]);

    /// <summary>Sets a sysctl of this namespace, such as <c>net.ipv4.ip_forward</c>.</summary>
    public void SetSysctl(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        var path = SysctlPath(name);
        try
        {
            Run(() => File.WriteAllText(path, value));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandFailedException($"sysctl {name}={value}: {exception.Message}", exception);
        }
    }

    /// <summary>Reads a sysctl of this namespace.</summary>
    public string GetSysctl(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Run(() => File.ReadAllText(SysctlPath(name)).Trim());
    }

    /// <summary>Kills what runs inside and removes the namespace with its interfaces.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        foreach (var process in _background) process.Dispose();
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
        Command.TryRun("ip", ["netns", "del", Name]);
    }

    private static string[] Words(string commandLine) => commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    // As sysctl(8): dots separate, and where slashes separate, dots belong to names of interfaces.
    private static string SysctlPath(string name)
        => "/proc/sys/" + (name.Contains('/') ? name : name.Replace('.', '/'));

    private void Serve()
    {
        foreach (var action in _work.GetConsumingEnumerable()) action();
    }

    private unsafe void Enter()
    {
        var path = Encoding.UTF8.GetBytes($"/run/netns/{Name}\0");
        int handle;
        fixed (byte* bytes = path) handle = open(bytes, O_RDONLY | O_CLOEXEC);
        if (handle < 0) throw new CommandFailedException($"open /run/netns/{Name}: errno {errno}");
        var entered = setns(handle, CLONE_NEWNET);
        var reason = errno;
        _ = close(handle);
        if (entered < 0) throw new CommandFailedException($"setns {Name}: errno {reason}");
    }
}
