using System.Diagnostics;

namespace FwCluster.Referee.Lab;

/// <summary>Runs programs to their end with captured output, bounded in time.</summary>
public static class Command
{
    /// <summary>The time that a command has when the caller does not say.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Runs a program; a status other than 0 is an exception that quotes what it said.</summary>
    /// <exception cref="CommandFailedException">It failed, or did not end in time (it is killed then).</exception>
    public static string Run(string file, IEnumerable<string> arguments, string? input = null, TimeSpan? timeout = null)
    {
        var result = TryRun(file, arguments, input, timeout);
        return result.ExitCode == 0
            ? result.Output
            : throw new CommandFailedException($"{file} {string.Join(' ', arguments)}: exit {result.ExitCode}\n{result.Error}{result.Output}");
    }

    /// <summary>Runs a program and says what came of it.</summary>
    /// <exception cref="CommandFailedException">It did not end in time (it is killed then).</exception>
    public static CommandResult TryRun(string file, IEnumerable<string> arguments, string? input = null, TimeSpan? timeout = null)
    {
        using var process = new Process { StartInfo = StartInfo(file, arguments) };
        process.Start();
        // Both pipes are read while it runs: a full pipe would stop it.
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            if (input is not null) process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it; its status and messages say why.
        }

        if (!process.WaitForExit(timeout ?? DefaultTimeout))
        {
            process.Kill(entireProcessTree: true);
            throw new CommandFailedException($"{file} {string.Join(' ', arguments)}: still running after {timeout ?? DefaultTimeout}");
        }
        return new CommandResult(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    internal static ProcessStartInfo StartInfo(string file, IEnumerable<string> arguments)
    {
        var info = new ProcessStartInfo(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        // What is said to the tests (FWCLUSTER_TEST_SECONDS) is not said to the programs: fwclusterd takes its settings from such variables.
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("FWCLUSTER_", StringComparison.Ordinal)).ToList())
            info.Environment.Remove(name);
        return info;
    }
}
