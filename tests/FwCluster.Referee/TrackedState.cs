namespace FwCluster.Referee;

/// <summary>What the kernel said of a packet; the values are the DSCP marks that carry the answer.</summary>
public enum TrackedState : byte
{
    /// <summary>It was not forwarded: a bad header, a held fragment, dropped by a rule or by tracking itself.</summary>
    None = 0,

    /// <summary><c>--ctstate INVALID</c>.</summary>
    Invalid = 1,

    /// <summary><c>--ctstate NEW</c>.</summary>
    New = 2,

    /// <summary><c>--ctstate ESTABLISHED</c>.</summary>
    Established = 3,

    /// <summary><c>--ctstate RELATED</c>.</summary>
    Related = 4,

    /// <summary><c>--ctstate UNTRACKED</c>.</summary>
    Untracked = 5,

    /// <summary>It was forwarded, and no mark says with which state (the referee runs rules instead of marks).</summary>
    Forwarded = 6,
}
