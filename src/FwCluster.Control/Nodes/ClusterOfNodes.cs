using FwCluster.Control.Access;
using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Nodes;

/// <summary>The node of this process and its peers, each asked by the public API on behalf of whoever asks here.</summary>
/// <param name="own">The node of this process.</param>
/// <param name="rules">The rules of all.</param>
/// <param name="peers">The other nodes that there are now.</param>
/// <param name="channels">The ways to them.</param>
public sealed class ClusterOfNodes(IControlledNode own, IRulesetAgreement rules, Func<IReadOnlyList<Peer>> peers, PeerChannels channels) : IControlledCluster
{
    /// <inheritdoc/>
    public IControlledNode Own => own;

    /// <inheritdoc/>
    public IRulesetAgreement Rules => rules;

    /// <inheritdoc/>
    public IReadOnlyList<IControlledNode> NodesFor(Caller caller)
    {
        var now = peers();
        channels.Keep(now);
        // A name that two have is nobody's: who is asked by it must not be chance.
        var names = now.Select(peer => peer.Name).Append(own.Name).CountBy(name => name).ToDictionary();
        return [.. now.Select(peer => names[peer.Name] == 1 ? peer : peer with
        {
            Name = $"{peer.Name}@{peer.Address}", Control = null, Problem = $"another node has the name {peer.Name}, too (control.name)",
        }).Select(IControlledNode (peer) => new RemoteNode(peer, channels, caller)).Append(own).OrderBy(node => node.Name, StringComparer.Ordinal)];
    }
}
