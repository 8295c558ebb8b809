using FwCluster.Rules.Text;

namespace FwCluster.Rules.Sets;

/// <summary>What a file of sets came to: sets, or the mistakes in it, never both.</summary>
/// <param name="Sets">The sets; null where the file has mistakes.</param>
/// <param name="Errors">Every mistake, in the file's order.</param>
public sealed record SetReadResult(SetCollection? Sets, IReadOnlyList<RuleError> Errors)
{
    /// <summary>True where there is no mistake.</summary>
    public bool Succeeded => Errors.Count == 0;
}
