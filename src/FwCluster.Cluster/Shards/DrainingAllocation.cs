using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Sharding;
using FwCluster.Cluster.Nodes;

namespace FwCluster.Cluster.Shards;

/// <summary>
/// Where shards go: as without it, but none to a node that is draining, and those that are there to others, a few at a time. Asked by the
/// coordinator, which is on one node and knows of the others what their gates have told its own.
/// </summary>
/// <param name="inner">Deals shards to the nodes that are not draining.</param>
/// <param name="map">The nodes.</param>
internal sealed class DrainingAllocation(IShardAllocationStrategy inner, NodeMap map) : IActorSystemDependentAllocationStrategy
{
    /// <summary>A shard that moves answers nobody meanwhile.</summary>
    private const int AtATime = 8;

    /// <inheritdoc/>
    public void Start(ActorSystem system) => (inner as IActorSystemDependentAllocationStrategy)?.Start(system);

    /// <inheritdoc/>
    public Task<IActorRef> AllocateShard(IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations)
    {
        var takers = Takers(currentShardAllocations);
        return inner.AllocateShard(requester, shardId, takers.Count > 0 ? takers : currentShardAllocations); // better there than nowhere
    }

    /// <inheritdoc/>
    public Task<IImmutableSet<string>> Rebalance(
        IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress)
    {
        var takers = Takers(currentShardAllocations);
        if (takers.Count == currentShardAllocations.Count || takers.Count == 0) return inner.Rebalance(currentShardAllocations, rebalanceInProgress);
        var moving = currentShardAllocations.Where(region => !takers.ContainsKey(region.Key)).SelectMany(region => region.Value)
            .Where(shard => !rebalanceInProgress.Contains(shard)).Take(Math.Max(0, AtATime - rebalanceInProgress.Count)).ToImmutableHashSet();
        return moving.Count > 0 || rebalanceInProgress.Count > 0
            ? Task.FromResult<IImmutableSet<string>>(moving)
            : inner.Rebalance(takers, rebalanceInProgress);
    }

    private ImmutableDictionary<IActorRef, IImmutableList<string>> Takers(IImmutableDictionary<IActorRef, IImmutableList<string>> regions)
        => regions.Where(region => !IsDraining(region.Key.Path.Address)).ToImmutableDictionary();

    /// <summary>The region of this node has an address without a host.</summary>
    private bool IsDraining(Address address)
        => map.Nodes.Any(node => !node.IsGone && node.IsDraining && (address.HasLocalScope ? node.IsHere : node.Address.Equals(address)));
}
