using System.Globalization;
using Akka.Cluster.Sharding;
using FwCluster.Cluster.Protocol.V1;

namespace FwCluster.Cluster.Shards;

/// <summary>Tells Cluster Sharding which shard a message is for. Each of its shards has one entity, the <see cref="ShardActor"/>.</summary>
internal sealed class ShardExtractor(int shards) : IMessageExtractor
{
    private readonly string[] _names = [.. Enumerable.Range(0, shards).Select(n => n.ToString(CultureInfo.InvariantCulture))];

    /// <inheritdoc/>
    public string? EntityId(object message) => message switch
    {
        RoutedRequests routed => NameOf(routed.Shard),
        StartShard start => NameOf(start.Shard),
        Claim claim => NameOf(claim.Expectation.Shard),
        ClaimAnswer answer => NameOf(answer.Shard),
        _ => null,
    };

    /// <inheritdoc/>
    public object EntityMessage(object message) => message;

    /// <inheritdoc/>
    public string? ShardId(object message) => EntityId(message);

    /// <inheritdoc/>
    public string ShardId(string entityId, object? messageHint = null) => entityId;

    private string? NameOf(uint shard) => shard < _names.Length ? _names[shard] : null;
}
