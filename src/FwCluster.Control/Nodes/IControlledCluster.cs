using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Nodes;

/// <summary>All that the control plane rules over.</summary>
public interface IControlledCluster
{
    /// <summary>The nodes that can be reached now, by name.</summary>
    IReadOnlyList<IControlledNode> Nodes { get; }

    /// <summary>The rules of all.</summary>
    IRulesetAgreement Rules { get; }

    /// <summary>Has a node hand over its shards.</summary>
    /// <param name="node">The node.</param>
    /// <param name="cancellation">Ends the wait for it.</param>
    /// <returns>How many shards moved; null where there is no other node to hand over to.</returns>
    Task<int?> DrainAsync(IControlledNode node, CancellationToken cancellation);
}
