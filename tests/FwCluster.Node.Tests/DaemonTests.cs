namespace FwCluster.Node.Tests;

/// <summary>Tests that put a daemon under load. One after another: two at a time would measure each other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DaemonTests
{
    /// <summary>The collection's name.</summary>
    public const string Name = "daemon";

    /// <summary>Seconds of the runs that can be longer by hand: FWCLUSTER_TEST_SECONDS=60.</summary>
    public static int Seconds { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("FWCLUSTER_TEST_SECONDS"), out var seconds) && seconds > 0 ? seconds : 10;
}
