using System.CommandLine;
using FwCluster.Cli.Commands;

namespace FwCluster.Cli;

/// <summary>The client: its command line, and how it fails.</summary>
public static class Fwctl
{
    private const string Sections = """
        Examples:
          fwctl replay capture.pcapng --rules rules.v4 --local 192.0.2.1
          fwctl rules check rules.v4
          fwctl rules apply rules.v4 --confirm-within 30
          fwctl list
          fwctl conntrack watch
          fwctl cluster status
          fwctl top
          source <(fwctl completion bash)

        """;

    /// <summary>The whole command line.</summary>
    public static RootCommand CreateCommand()
    {
        var root = new RootCommand("The client of FwCluster, a stateful firewall that is a cluster.")
        {
            ReplayCommand.Create(),
            RulesCommand.Create(),
            PkiCommand.Create(),
            CompletionCommand.Create(),
            TopCommand.Create(),
        };
        foreach (var command in (IEnumerable<Command>)[.. CountersCommands.Create(), .. ConntrackCommand.Create(), .. NodeCommands.Create()]) root.Subcommands.Add(command);
        HelpWithExamples.Describe(root, Sections);
        HelpWithExamples.AddTo(root);
        return root;
    }

    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">The words behind the program's name.</param>
    /// <param name="output">Where results go. Flushed at the end.</param>
    /// <param name="error">Where messages go.</param>
    /// <returns>What the shell is to be told, see the help of each command.</returns>
    /// <exception cref="IOException">The output is a pipe that nobody reads any more.</exception>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        try
        {
            var parsed = CreateCommand().Parse(arguments);
            if (parsed.Errors.Count > 0 && parsed.Action is System.CommandLine.Invocation.ParseErrorAction)
            {
                // That a command is missing is no news where a word was taken for one.
                var mistakes = parsed.UnmatchedTokens.Count == 0
                    ? parsed.Errors
                    : parsed.Errors.Where(e => parsed.UnmatchedTokens.Any(t => e.Message.Contains($"'{t}'", StringComparison.Ordinal)));
                foreach (var mistake in mistakes) error.WriteLine($"fwctl: {mistake.Message}");
                error.WriteLine($"Try '{CommandPath(parsed)} --help'.");
                return ExitCode.Wrong;
            }
            var code = parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
            output.Flush();
            return code;
        }
        catch (FwctlException e)
        {
            output.Flush();
            error.WriteLine($"fwctl: {e.Message}");
            return e.ExitCode;
        }
        catch (IOException e) when (e is not NobodyReadsException)
        {
            error.WriteLine($"fwctl: cannot write: {e.Message}");
            return ExitCode.Wrong;
        }
        catch (Exception e) when (e is not NobodyReadsException)
        {
            error.WriteLine($"fwctl: this is a fault in fwctl, please report it with the command line: {e.GetType().Name}: {e.Message}");
            return ExitCode.Fault;
        }
    }

    private static string CommandPath(ParseResult parsed)
    {
        var names = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
            names.Add(result.Command is RootCommand ? "fwctl" : result.Command.Name);
        names.Reverse();
        return string.Join(' ', names);
    }
}
