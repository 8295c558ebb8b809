namespace FwCluster.Control.Rulesets;

/// <summary>Where rules decide: a node. It makes them ready first, and switches to them when all nodes are ready.</summary>
public interface IRulesetTarget
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Makes rules ready, so that a switch cannot fail.</summary>
    /// <exception cref="Exception">It cannot; the message says why.</exception>
    Task<IPreparedRuleset> PrepareAsync(InForce rules);
}

/// <summary>Rules that are ready on a node. One that is not committed is dropped without a trace.</summary>
public interface IPreparedRuleset
{
    /// <summary>Switches: each packet is decided by the rules before, or by these, entirely. Done when every worker has switched.</summary>
    Task CommitAsync();
}
