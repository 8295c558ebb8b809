namespace FwCluster.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        using var output = StandardOutput.Open();
        try
        {
            return Fwctl.Run(arguments, output, Console.Error);
        }
        catch (IOException e) when (StandardOutput.IsBrokenPipe(e))
        {
            // What is still in the buffer has no reader either: leave without the writer's own flush.
            Environment.Exit(ExitCode.Ok);
            return ExitCode.Ok;
        }
    }
}
