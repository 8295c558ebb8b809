namespace FwCluster.Control.Rulesets;

/// <summary>Which coordinator said something: who has heard of a higher one does nothing more that a lower one says.</summary>
/// <param name="Number">Higher than all that it has heard of.</param>
/// <param name="Node">The node's number; of two with the same <see cref="Number"/> the greater one is higher.</param>
public readonly record struct RulesetBallot(ulong Number, int Node) : IComparable<RulesetBallot>
{
    /// <inheritdoc/>
    public int CompareTo(RulesetBallot other) => Number != other.Number ? Number.CompareTo(other.Number) : Node.CompareTo(other.Node);

    /// <summary>Lower.</summary>
    public static bool operator <(RulesetBallot left, RulesetBallot right) => left.CompareTo(right) < 0;

    /// <summary>Higher.</summary>
    public static bool operator >(RulesetBallot left, RulesetBallot right) => left.CompareTo(right) > 0;

    /// <summary>Not higher.</summary>
    public static bool operator <=(RulesetBallot left, RulesetBallot right) => left.CompareTo(right) <= 0;

    /// <summary>Not lower.</summary>
    public static bool operator >=(RulesetBallot left, RulesetBallot right) => left.CompareTo(right) >= 0;
}
