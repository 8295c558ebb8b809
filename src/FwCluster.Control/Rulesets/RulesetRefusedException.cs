using FwCluster.Rules.Text;

namespace FwCluster.Control.Rulesets;

/// <summary>Why rules were not put in force. Nothing was changed, but where they are <see cref="Undecided"/>.</summary>
public enum RulesetRefusal
{
    /// <summary>There are mistakes in them.</summary>
    Mistakes,

    /// <summary>They were to follow another generation than the one in force.</summary>
    Stale,

    /// <summary>A generation waits to be confirmed.</summary>
    Unconfirmed,

    /// <summary>The generation to confirm does not wait to be confirmed.</summary>
    NotWaiting,

    /// <summary>There is no such generation.</summary>
    NotFound,

    /// <summary>A node could not take them.</summary>
    Node,

    /// <summary>They could not be written to the disk.</summary>
    Disk,

    /// <summary>The node that leads the change was lost meanwhile: they are in force everywhere soon, or nowhere.</summary>
    Undecided,
}

/// <summary>Rules were not put in force; nothing was changed, but where the reason is <see cref="RulesetRefusal.Undecided"/>. The message is for
/// people.</summary>
/// <param name="reason">Why.</param>
/// <param name="message">Why, in words.</param>
/// <param name="inner">What lies behind it, or null.</param>
public sealed class RulesetRefusedException(RulesetRefusal reason, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Why.</summary>
    public RulesetRefusal Reason { get; } = reason;

    /// <summary>The mistakes, where they are why.</summary>
    public IReadOnlyList<RuleError> Errors { get; init; } = [];
}
