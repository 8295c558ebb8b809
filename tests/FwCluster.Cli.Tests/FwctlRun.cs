using FwCluster.Referee.Lab;

namespace FwCluster.Cli.Tests;

/// <summary>What a run of fwctl said.</summary>
internal sealed record FwctlRun(int ExitCode, string Output, string Error)
{
    /// <summary>Runs a command line in this process.</summary>
    public static FwctlRun Of(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = Fwctl.Run(arguments, output, error);
        return new FwctlRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a command line of the shell, in which <c>fwctl</c> is the real program.</summary>
    public static FwctlRun Shell(string script, string folder)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "fwctl.dll");
        var result = Command.TryRun("bash", ["-c", $"fwctl() {{ dotnet exec '{program}' \"$@\"; }}; cd '{folder}'; {script}"]);
        return new FwctlRun(result.ExitCode, result.Output, result.Error);
    }
}
