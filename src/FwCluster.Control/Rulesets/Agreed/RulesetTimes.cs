namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>How long nodes wait for each other.</summary>
public sealed record RulesetTimes
{
    /// <summary>How long a node that starts waits for the others to tell which rules are in force.</summary>
    public TimeSpan Start { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the coordinator looks whether all have what is in force.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How soon something is tried again.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a node may take to make rules ready.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the coordinator waits for each node to do what was decided, before it leaves it to the next look.</summary>
    public TimeSpan Decided { get; init; } = TimeSpan.FromSeconds(20);
}
