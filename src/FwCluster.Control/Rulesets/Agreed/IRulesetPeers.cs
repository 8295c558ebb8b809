namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>The nodes that agree on rules, and the way to them.</summary>
public interface IRulesetPeers
{
    /// <summary>A member came, went, or is reached or not. Called on any thread.</summary>
    event Action? Changed;

    /// <summary>The nodes that are up, this one among them, the oldest first.</summary>
    IReadOnlyList<RulesetPeer> Members { get; }

    /// <summary>All nodes are there that a cluster which begins anew is to have.</summary>
    bool AreAllThere { get; }

    /// <summary>Asks a node.</summary>
    /// <exception cref="RulesetPeerException">It does not answer.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    Task<byte[]> AskAsync(RulesetPeer to, byte[] question, CancellationToken cancellation);

    /// <summary>Says what this node answers with; it may be asked several things at once.</summary>
    void Answer(Func<byte[], Task<byte[]>> answer);
}

/// <summary>A node that agrees on rules.</summary>
/// <param name="Uid">The number that its start drew.</param>
/// <param name="Address">Where it is, for people.</param>
/// <param name="MayCoordinate">It has the role control.</param>
/// <param name="IsReachable">It answers.</param>
/// <param name="IsSelf">It is this one.</param>
public sealed record RulesetPeer(int Uid, string Address, bool MayCoordinate, bool IsReachable, bool IsSelf);

/// <summary>A node does not answer. The message is for people.</summary>
/// <param name="message">Why.</param>
/// <param name="hasArrived">The question may have arrived.</param>
/// <param name="inner">What lies behind it, or null.</param>
public sealed class RulesetPeerException(string message, bool hasArrived, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The question may have arrived: what it asked for may be done.</summary>
    public bool HasArrived { get; } = hasArrived;
}
