using System.Text.RegularExpressions;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests;

/// <summary>What the documents say a command prints is what it prints.</summary>
public partial class ReadmeTests
{
    private const string Command = "dotnet run --project src/FwCluster.Cli -- ";

    [Theory]
    [InlineData("README.md", 5)]
    public void CommandsPrintWhatTheDocumentShows(string document, int atLeast)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, document));
        var shown = 0;
        foreach (Match block in Shown().Matches(text))
        {
            var arguments = block.Groups["command"].Value[Command.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (code, printed) = FwctlProgram.TryRun(arguments);
            Assert.Equal(block.Groups["code"].Success ? int.Parse(block.Groups["code"].Value, null) : 0, code);
            Assert.Equal(WithoutTrailingBlanks(block.Groups["output"].Value), WithoutTrailingBlanks(printed));
            shown++;
        }
        Assert.True(shown >= atLeast, $"{document} shows the output of {shown} commands, not {atLeast}");
    }

    // A block with a command, and right behind it a block with the output.
    [GeneratedRegex(@"^```\n(?<command>dotnet run --project src/FwCluster\.Cli -- [^\n]*)\n```\n[^`]*?<!-- prints(, exit code (?<code>\d+))? -->\n```\n(?<output>.*?)^```\n",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Shown();

    private static string WithoutTrailingBlanks(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()));
}
