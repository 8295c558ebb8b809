using Spectre.Console;

namespace FwCluster.Cli.Replay;

/// <summary>A progress bar on the standard error, for a long file and a person who watches.</summary>
internal static class ReplayProgress
{
    /// <summary>Files shorter than this are through before a bar could be read.</summary>
    private const long LongFile = 32 << 20;

    /// <summary>Runs the work, with a bar where one is wanted.</summary>
    /// <param name="length">Bytes of the capture; negative for a pipe.</param>
    /// <param name="isOutputQuiet">True where nothing else is printed to the terminal meanwhile.</param>
    /// <param name="work">The work; takes who is told the bytes read so far, or null.</param>
    public static void Run(long length, bool isOutputQuiet, Action<Action<long>?> work)
    {
        if (length < LongFile || Console.IsErrorRedirected || (!isOutputQuiet && !Console.IsOutputRedirected))
        {
            work(null);
            return;
        }
        // What is redirected elsewhere does not matter: the bar is on the standard error, and that is a terminal.
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Error),
            Interactive = InteractionSupport.Yes,
        });
        console.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("replay", maxValue: length);
                work(position => task.Value = position);
            });
    }
}
