namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>A fenced block of a document.</summary>
/// <param name="Place">File and line of the fence, for messages.</param>
/// <param name="Language">The word behind the fence: see <see cref="Document"/>.</param>
/// <param name="Text">What is in it.</param>
internal sealed record DocumentBlock(string Place, string Language, string Text)
{
    /// <summary>The host that it is typed at (<c>&lt;!-- on NAME --&gt;</c> before it), or null for the one there is.</summary>
    public string? Host { get; init; }

    /// <summary>Another thing that a comment before it says of it, such as what a YAML text is; empty for none.</summary>
    public string Note { get; init; } = "";

    /// <summary>What it prints, where the document shows that.</summary>
    public PrintedText? Prints { get; init; }

    /// <summary>True where a test pastes it into a terminal.</summary>
    public bool IsRun => Language == "bash" || Prints is not null;

    /// <summary>True where it is command lines.</summary>
    public bool IsCommands => Language is "bash" or "";
}
