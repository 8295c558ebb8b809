namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>Clusters run one after another: each is several processes that have a machine for themselves where they are used.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClusterTests
{
    /// <summary>The collection's name.</summary>
    public const string Name = "clusters";
}
