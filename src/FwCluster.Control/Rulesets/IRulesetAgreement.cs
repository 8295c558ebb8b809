namespace FwCluster.Control.Rulesets;

/// <summary>Which rules are in force everywhere. One change comes after the other; each is made on every node, or on none.</summary>
public interface IRulesetAgreement
{
    /// <summary>The rules in force.</summary>
    InForce Current { get; }

    /// <summary>This node is the one that makes changes: of a cluster, one of its nodes is, as far as this one knows.</summary>
    bool Leads { get; }

    /// <summary>Puts rules in force.</summary>
    /// <param name="proposal">The rules.</param>
    /// <returns>The rules before, and those in force now.</returns>
    /// <exception cref="RulesetRefusedException">They are not; nothing was changed.</exception>
    Task<(InForce Before, InForce After)> ApplyAsync(RulesetProposal proposal);

    /// <summary>Keeps a generation that waits to be confirmed.</summary>
    /// <exception cref="RulesetRefusedException">It does not wait.</exception>
    Task<RulesetGeneration> ConfirmAsync(ulong generation);

    /// <summary>Generations, the latest first.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="before">Only older ones than this; 0 for all.</param>
    IReadOnlyList<RulesetGeneration> History(int limit, ulong before);

    /// <summary>A generation and its rules.</summary>
    /// <exception cref="RulesetRefusedException">There is no such generation, or it cannot be read.</exception>
    InForce Read(ulong generation);

    /// <summary>The generation in force, and then each change.</summary>
    IAsyncEnumerable<RulesetChanged> WatchAsync(CancellationToken cancellation);
}

/// <summary>A generation with its rules.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Rules">Its rules.</param>
public sealed record InForce(RulesetGeneration Generation, CheckedRuleset Rules);

/// <summary>Rules that somebody wants in force.</summary>
/// <param name="Rules">The rules.</param>
/// <param name="Author">Who.</param>
public sealed record RulesetProposal(CheckedRuleset Rules, string Author)
{
    /// <summary>Why.</summary>
    public string Comment { get; init; } = "";

    /// <summary>The generation that they are to follow; null for whichever.</summary>
    public ulong? Expected { get; init; }

    /// <summary>The generation whose rules these are; 0 for none.</summary>
    public ulong Restores { get; init; }

    /// <summary>They go again where they are not confirmed within this time; null where they stay.</summary>
    public TimeSpan? ConfirmWithin { get; init; }
}

/// <summary>What happened to the rules in force.</summary>
public enum RulesetChangeKind
{
    /// <summary>Nothing yet: this is what is in force when the watch begins.</summary>
    InForce,

    /// <summary>Rules were applied.</summary>
    Applied,

    /// <summary>They were confirmed.</summary>
    Confirmed,

    /// <summary>Somebody brought older ones back.</summary>
    RolledBack,

    /// <summary>They were not confirmed in time, and the ones before came back.</summary>
    Expired,
}

/// <summary>A change of the rules in force.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Generation">The generation in force since.</param>
public sealed record RulesetChanged(RulesetChangeKind Kind, RulesetGeneration Generation);
