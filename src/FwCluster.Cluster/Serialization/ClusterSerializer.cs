using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using Google.Protobuf;

namespace FwCluster.Cluster.Serialization;

/// <summary>
/// The messages of <c>protos/fwcluster/cluster/v1</c>, by a fixed table: the name on the wire chooses a reader from it, and a name that is not there is
/// refused. The names begin with the version, so that a release can speak with its neighbours.
/// </summary>
public sealed class ClusterSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string StateName = "v1.shard-state";

    private static readonly (string Name, Type Type, MessageParser Parser)[] Table =
    [
        ("v1.hello", typeof(Hello), Hello.Parser),
        ("v1.shards-changed", typeof(ShardsChanged), ShardsChanged.Parser),
        ("v1.routed-requests", typeof(RoutedRequests), RoutedRequests.Parser),
        ("v1.start-shard", typeof(StartShard), StartShard.Parser),
        ("v1.state-wanted", typeof(StateWanted), StateWanted.Parser),
        ("v1.state-taken", typeof(StateTaken), StateTaken.Parser),
        ("v1.claim", typeof(Claim), Claim.Parser),
        ("v1.claim-answer", typeof(ClaimAnswer), ClaimAnswer.Parser),
        ("v1.call-piece", typeof(CallPiece), CallPiece.Parser),
        ("v1.call-piece-taken", typeof(CallPieceTaken), CallPieceTaken.Parser),
    ];

    private static readonly Dictionary<Type, string> Names = Table.ToDictionary(row => row.Type, row => row.Name);
    private static readonly Dictionary<string, MessageParser> Parsers = Table.ToDictionary(row => row.Name, row => row.Parser);

    /// <summary>The number on the wire; those up to 40 are Akka's.</summary>
    public override int Identifier => 4053;

    /// <inheritdoc/>
    public override string Manifest(object o) => o switch
    {
        GateMessages.State => StateName,
        _ => Names.TryGetValue(o.GetType(), out var name) ? name : throw new SerializationException($"{o.GetType()} is nothing that nodes say"),
    };

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => obj switch
    {
        GateMessages.State state => state.Bytes,
        IMessage message when Names.ContainsKey(obj.GetType()) => message.ToByteArray(),
        _ => throw new SerializationException($"{obj.GetType()} is nothing that nodes say"),
    };

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        StateName => new GateMessages.State(bytes),
        _ => Parsers.TryGetValue(manifest, out var parser)
            ? parser.ParseFrom(bytes)
            : throw new SerializationException($"a node says '{manifest}', which this release does not know"),
    };
}
