namespace FwCluster.Conntrack.Tests;

/// <summary>
/// Tests that ask the kernel run after the others, one at a time: they are busy for seconds, and compare timeouts.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelCollection
{
    public const string Name = "kernel";
}
