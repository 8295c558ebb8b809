namespace FwCluster.Cli;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        // Never disposed: that would flush, once more, what nobody reads any more.
        var output = StandardOutput.OpenWriter();
        try
        {
            return Fwctl.Run(arguments, output, Console.Error);
        }
        catch (NobodyReadsException)
        {
            return ExitCode.Ok;
        }
    }
}
