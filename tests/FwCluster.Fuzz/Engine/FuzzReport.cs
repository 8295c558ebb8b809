namespace FwCluster.Fuzz.Engine;

/// <summary>What came of fuzzing a target.</summary>
/// <param name="Target">Its name.</param>
/// <param name="Executions">Inputs run.</param>
/// <param name="Edges">Edges of the code that they ran through.</param>
/// <param name="Corpus">Inputs that each brought something new.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Finding">The first finding, with how to see it again; null where there is none.</param>
/// <param name="FindingFile">The finding's input.</param>
public sealed record FuzzReport(
    string Target, long Executions, int Edges, int Corpus, double Seconds, string? Finding, string? FindingFile)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"{Target}: {Executions:N0} inputs in {Seconds:F1} s, {Edges:N0} edges, {Corpus:N0} inputs kept")
        + (Finding is null ? ", nothing found" : "\n" + Finding);
}
