using FwCluster.Control.Access;
using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Nodes;

/// <summary>A node that is on its own.</summary>
/// <param name="node">The node.</param>
/// <param name="rules">Its rules.</param>
public sealed class SingleNode(IControlledNode node, IRulesetAgreement rules) : IControlledCluster
{
    private readonly IReadOnlyList<IControlledNode> _nodes = [node];

    /// <inheritdoc/>
    public IControlledNode Own => node;

    /// <inheritdoc/>
    public IRulesetAgreement Rules { get; } = rules;

    /// <inheritdoc/>
    public IReadOnlyList<IControlledNode> NodesFor(Caller caller) => _nodes;
}
