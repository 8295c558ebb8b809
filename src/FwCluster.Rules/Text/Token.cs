namespace FwCluster.Rules.Text;

/// <summary>One word of a line, and where it stood: errors point there.</summary>
/// <param name="Text">The word, quotes and escapes already resolved.</param>
/// <param name="Line">Line, 1-based.</param>
/// <param name="Column">Column of the word's first character (or its quote), 1-based.</param>
/// <param name="Length">Characters it takes in the source, quotes included.</param>
/// <param name="IsQuoted">True where any part of it stood in quotes.</param>
public readonly record struct Token(string Text, int Line, int Column, int Length, bool IsQuoted)
{
    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>The part of this word from <paramref name="start"/> on, as a word of its own, so that an error can point into a list.</summary>
    /// <param name="start">First character, 0-based.</param>
    /// <param name="length">How many characters.</param>
    public Token Part(int start, int length) => IsQuoted || Length != Text.Length
        ? this with { Text = Text.Substring(start, length) }
        : new(Text.Substring(start, length), Line, Column + start, Math.Max(1, length), false);
}
