namespace FwCluster.Rules.Text;

/// <summary>Collects the mistakes of one file.</summary>
/// <param name="file">Its name.</param>
/// <param name="lines">Its lines.</param>
internal sealed class ErrorList(string file, string[] lines) : IErrorSink
{
    private readonly List<RuleError> _errors = [];

    /// <summary>How many so far.</summary>
    public int Count => _errors.Count;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<RuleError> InOrder() => [.. _errors.OrderBy(e => e.Line).ThenBy(e => e.Column)];

    /// <inheritdoc/>
    public void Error(Token at, string message, string? hint = null)
        => _errors.Add(new(file, at.Line, at.Column, Math.Max(1, at.Length), message, hint,
            at.Line >= 1 && at.Line <= lines.Length ? lines[at.Line - 1] : ""));
}
