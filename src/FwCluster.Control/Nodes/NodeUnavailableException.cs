namespace FwCluster.Control.Nodes;

/// <summary>A node cannot be asked. The message names it and says why.</summary>
/// <param name="node">Its name.</param>
/// <param name="reason">Why, for people.</param>
/// <param name="inner">What lies behind it, or null.</param>
public sealed class NodeUnavailableException(string node, string reason, Exception? inner = null) : Exception($"node {node} cannot be asked: {reason}", inner)
{
    /// <summary>The node's name.</summary>
    public string Node { get; } = node;

    /// <summary>Why, for people.</summary>
    public string Reason { get; } = reason;
}
