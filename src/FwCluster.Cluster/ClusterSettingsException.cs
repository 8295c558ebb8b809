namespace FwCluster.Cluster;

/// <summary>A cluster's settings are wrong; the message says which, and what would be right.</summary>
public sealed class ClusterSettingsException : Exception
{
    /// <summary>What is wrong.</summary>
    public ClusterSettingsException(string message)
        : base(message)
    {
    }

    /// <summary>What is wrong, and what was found.</summary>
    public ClusterSettingsException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>No message.</summary>
    public ClusterSettingsException()
    {
    }
}
