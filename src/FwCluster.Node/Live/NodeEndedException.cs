namespace FwCluster.Node.Live;

/// <summary>The node is none of its cluster any more. A new start is another node, which can join.</summary>
/// <param name="message">What happened.</param>
internal sealed class NodeEndedException(string message) : Exception(message);
