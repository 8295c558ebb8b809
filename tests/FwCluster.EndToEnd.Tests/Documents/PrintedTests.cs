namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>What the documents say a command prints is what it prints. The pages here need neither root nor another host.</summary>
public sealed class PrintedTests
{
    [Theory]
    [InlineData("README.md", 5)]
    [InlineData("docs/tutorial.md", 8)]
    public void CommandsPrintWhatTheDocumentShows(string name, int atLeast)
    {
        using var terminal = new Terminal();
        // The demonstration is another test's (LiveDemoTests of FwCluster.Node.Tests), the tour is TourTests'.
        var blocks = Document.Of(name).Blocks.Where(block => name == "README.md" ? block.Prints is { HasVariables: false } : block.IsRun && !block.Text.Contains("demo.sh"));
        var shown = 0;
        foreach (var block in blocks)
        {
            terminal.Paste(block);
            if (block.Prints is not null) shown++;
        }
        Assert.True(shown >= atLeast, $"{name} shows the output of {shown} commands, not {atLeast}");
    }
}
