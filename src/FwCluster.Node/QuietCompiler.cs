using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace FwCluster.Node;

/// <summary>
/// Gives way to packets where the runtime compiles again what is used most: its compiler's thread gets a nice value (<c>setpriority(2)</c>), which takes no
/// privilege. At the common one it has the processor for as long as the scheduler's slice is, milliseconds, whenever the threads that packets wait for have
/// used more of it lately.
/// </summary>
internal sealed partial class QuietCompiler : BackgroundService
{
    /// <summary>The nice value: a tenth of the common weight. Less might keep it for too long from letting go of a lock.</summary>
    public const int Nice = 10;

    /// <summary>As the kernel tells the name of the thread, of which there is one at a time; it ends when there is nothing to compile, and another one begins later.</summary>
    public const string ThreadName = ".NET Tiered Com";

    private const string Threads = "/proc/self/task";
    private const int OneThread = 0; // PRIO_PROCESS, which means a thread

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    // Threads that need not be looked at again, and those that came since the look before the last: such a one may not have had its name yet.
    private readonly HashSet<int> _known = [];
    private HashSet<int> _new = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        try
        {
            do Look();
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is no such folder here: the compiler stays as it is.
        }
    }

    private void Look()
    {
        var there = new HashSet<int>();
        foreach (var folder in Directory.EnumerateDirectories(Threads))
        {
            var thread = int.Parse(Path.GetFileName(folder.AsSpan()), CultureInfo.InvariantCulture);
            there.Add(thread);
            if (!_known.Contains(thread) && IsCompiler(folder)) _ = SetPriority(OneThread, thread, Nice);
        }
        _known.UnionWith(_new);
        _known.IntersectWith(there);
        _new = there;
        _new.ExceptWith(_known);
    }

    private static bool IsCompiler(string folder)
    {
        try
        {
            return File.ReadAllText($"{folder}/comm").AsSpan().TrimEnd().SequenceEqual(ThreadName);
        }
        catch (IOException)
        {
            return false; // it has ended
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int value);
}
