namespace FwCluster.Cluster;

/// <summary>Another node of the cluster has this node's name (<see cref="ClusterSettings.NodeName"/>); the message says where.</summary>
public sealed class NodeNameException : Exception
{
    /// <summary>Whose name it is.</summary>
    public NodeNameException(string message)
        : base(message)
    {
    }

    /// <summary>Whose name it is, and what was found.</summary>
    public NodeNameException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>No message.</summary>
    public NodeNameException()
    {
    }
}
