using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests;

/// <summary>The program as a person runs it: a process, with the repository as its working directory.</summary>
internal static class FwctlProgram
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "fwctl");

    /// <summary>Runs it; a status other than 0 is an exception that quotes what it said.</summary>
    public static string Run(params IEnumerable<string> arguments)
        => Command.Run("env", ["-C", Repository.Root, Program, .. arguments]);

    /// <summary>Runs it; its status, and what it said on standard output and error.</summary>
    public static (int ExitCode, string Said) TryRun(params IEnumerable<string> arguments)
    {
        var result = Command.TryRun("env", ["-C", Repository.Root, Program, .. arguments]);
        return (result.ExitCode, result.Output + result.Error);
    }
}
