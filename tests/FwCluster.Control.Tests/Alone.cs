namespace FwCluster.Control.Tests;

/// <summary>Tests that no other one may run beside: they measure the process's memory, or set its environment.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
