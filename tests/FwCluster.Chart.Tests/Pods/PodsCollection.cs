namespace FwCluster.Chart.Tests.Pods;

/// <summary>Tests that run the image: one after another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PodsCollection : ICollectionFixture<ImageRoot>
{
    public const string Name = "pods";
}
