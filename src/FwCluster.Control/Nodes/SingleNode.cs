using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Nodes;

/// <summary>A node that is on its own.</summary>
/// <param name="node">The node.</param>
/// <param name="rules">Its rules.</param>
public sealed class SingleNode(IControlledNode node, IRulesetAgreement rules) : IControlledCluster
{
    /// <inheritdoc/>
    public IReadOnlyList<IControlledNode> Nodes { get; } = [node];

    /// <inheritdoc/>
    public IRulesetAgreement Rules { get; } = rules;

    /// <inheritdoc/>
    public Task<int?> DrainAsync(IControlledNode node, CancellationToken cancellation) => Task.FromResult<int?>(null);
}
