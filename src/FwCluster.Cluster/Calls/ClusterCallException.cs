namespace FwCluster.Cluster.Calls;

/// <summary>A node has not answered. The message is for people.</summary>
/// <param name="message">Why, in words.</param>
/// <param name="hasArrived">The question may have arrived: what it asked for may be done.</param>
public sealed class ClusterCallException(string message, bool hasArrived) : Exception(message)
{
    /// <summary>The question may have arrived: what it asked for may be done.</summary>
    public bool HasArrived { get; } = hasArrived;
}
