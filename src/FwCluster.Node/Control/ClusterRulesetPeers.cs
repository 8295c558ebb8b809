using FwCluster.Cluster;
using FwCluster.Cluster.Calls;
using FwCluster.Control.Rulesets.Agreed;

namespace FwCluster.Node.Control;

/// <summary>The cluster's nodes, as those that agree on rules.</summary>
internal sealed class ClusterRulesetPeers(ClusterNode node) : IRulesetPeers
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add => node.Calls.Changed += value;
        remove => node.Calls.Changed -= value;
    }

    /// <inheritdoc/>
    public IReadOnlyList<RulesetPeer> Members => [.. node.Calls.Members.Select(m => new RulesetPeer(
        m.Uid, $"{m.Address.Host}:{m.Address.Port}", m.Roles.Contains(ClusterRoles.Control), m.IsReachable, m.Uid == node.Calls.Self))];

    /// <inheritdoc/>
    public bool AreAllThere => node.AreSeedsUp;

    /// <inheritdoc/>
    public async Task<byte[]> AskAsync(RulesetPeer to, byte[] question, CancellationToken cancellation)
    {
        if (node.Calls.Members.FirstOrDefault(m => m.Uid == to.Uid) is not { } member)
            throw new RulesetPeerException("it is no member of the cluster any more", hasArrived: false);
        try
        {
            return await node.Calls.AskAsync(member, question, cancellation).ConfigureAwait(false);
        }
        catch (ClusterCallException e)
        {
            throw new RulesetPeerException(e.Message, e.HasArrived, e);
        }
    }

    /// <inheritdoc/>
    public void Answer(Func<byte[], Task<byte[]>> answer) => node.Calls.Answer(answer);
}
