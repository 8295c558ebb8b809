using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FwCluster.Cli;

/// <summary>Help that ends with examples and exit codes.</summary>
internal static class HelpWithExamples
{
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Command, string> Sections = [];

    /// <summary>Gives a command its further sections, as they are to be printed.</summary>
    public static void Describe(Command command, string sections) => Sections.Add(command, sections.ReplaceLineEndings("\n"));

    /// <summary>Makes the root's help option print them.</summary>
    public static void AddTo(RootCommand root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            if (option.Action is SynchronousCommandLineAction standard) option.Action = new Action(standard);
        }
    }

    private sealed class Action(SynchronousCommandLineAction standard) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var result = standard.Invoke(parseResult);
            if (Sections.TryGetValue(parseResult.CommandResult.Command, out var sections))
                parseResult.InvocationConfiguration.Output.Write(sections);
            return result;
        }
    }
}
