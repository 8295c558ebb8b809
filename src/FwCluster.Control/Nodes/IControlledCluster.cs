using FwCluster.Control.Access;
using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Nodes;

/// <summary>All that the control plane rules over.</summary>
public interface IControlledCluster
{
    /// <summary>The node of this process.</summary>
    IControlledNode Own { get; }

    /// <summary>The rules of all.</summary>
    IRulesetAgreement Rules { get; }

    /// <summary>All nodes, by name, also those that cannot be reached now.</summary>
    /// <param name="caller">On whose behalf other nodes are asked.</param>
    IReadOnlyList<IControlledNode> NodesFor(Caller caller);
}
