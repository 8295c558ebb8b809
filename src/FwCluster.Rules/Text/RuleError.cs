using System.Text;

namespace FwCluster.Rules.Text;

/// <summary>A mistake in a rule file, for the person who wrote it.</summary>
/// <param name="File">The file's name, as the caller gave it.</param>
/// <param name="Line">Line, 1-based.</param>
/// <param name="Column">Column, 1-based.</param>
/// <param name="Length">How many characters are meant, at least 1.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Hint">What would be right, or null where the message says it.</param>
/// <param name="SourceLine">The line itself.</param>
public sealed record RuleError(
    string File, int Line, int Column, int Length, string Message, string? Hint, string SourceLine)
{
    /// <summary><c>file:line:column: message; hint</c> on one line.</summary>
    public override string ToString()
        => $"{File}:{Line}:{Column}: {Message}{(Hint is null ? "" : "; " + Hint)}";

    /// <summary>The message, then the source line, then a caret under the place.</summary>
    public string Format()
    {
        var text = new StringBuilder(ToString()).Append('\n');
        // Tabs stay tabs below the line too, so that the caret stands where the reader's terminal puts the word.
        var caret = SourceLine.Take(Math.Min(Column - 1, SourceLine.Length)).Select(c => c == '\t' ? '\t' : ' ').ToArray();
        var width = Math.Max(1, Math.Min(Length, SourceLine.Length - (Column - 1)));
        return text.Append("    ").Append(SourceLine).Append('\n')
            .Append("    ").Append(caret).Append('^').Append('~', width - 1).ToString();
    }
}
