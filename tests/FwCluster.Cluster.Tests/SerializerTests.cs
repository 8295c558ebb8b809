using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Serialization;

namespace FwCluster.Cluster.Tests;

/// <summary>What can come from the network, and what cannot.</summary>
public sealed class SerializerTests(SerializerTests.OneSystem one) : IClassFixture<SerializerTests.OneSystem>
{
    private readonly ActorSystem _system = one.System;

    [Fact]
    public void OurMessagesHaveOurSerializer()
    {
        foreach (object message in new object[] { new Hello { Node = 7 }, new GateMessages.State([1, 2]), new StartShard { Shard = 3 } })
        {
            var serializer = Assert.IsType<ClusterSerializer>(_system.Serialization.FindSerializerFor(message));
            var manifest = serializer.Manifest(message);
            Assert.StartsWith("v1.", manifest, StringComparison.Ordinal);
            var back = _system.Serialization.Deserialize(serializer.ToBinary(message), serializer.Identifier, manifest);
            Assert.Equal(message.GetType(), back.GetType());
        }
    }

    [Theory]
    [InlineData(1, "System.Diagnostics.Process, System.Diagnostics.Process")] // JSON
    [InlineData(2, "FwCluster.Cluster.Protocol.V1.Hello, FwCluster.Cluster")] // any protobuf type
    [InlineData(3, "")] // deployment
    [InlineData(15, "A")]
    [InlineData(36, "a")]
    [InlineData(16, "STF")] // an exception of a type that the sender names
    [InlineData(16, "CF")]
    [InlineData(4053, "v1.no-such")]
    [InlineData(4053, "System.Uri")]
    public void NobodyElseIsRead(int serializer, string manifest)
        => Assert.ThrowsAny<SerializationException>(() => _system.Serialization.Deserialize("{}"u8.ToArray(), serializer, manifest));

    [Fact]
    public void WhatIsNotRegisteredIsNotSent()
    {
        foreach (object message in new object[] { new Uri("http://x"), new List<int> { 1 }, new { A = 1 }, new ShardReply() })
        {
            var serializer = _system.Serialization.FindSerializerFor(message);
            Assert.ThrowsAny<SerializationException>(() => serializer.ToBinary(message));
        }
    }

    [Fact]
    public void NoSerializerThatMakesAnyTypeIsLeft()
    {
        string[] known =
        [
            nameof(ClusterSerializer), nameof(LimitedMisc), nameof(RefusedJson), nameof(RefusedProtobuf), nameof(RefusedDeployment), nameof(RefusedDelivery),
            nameof(RefusedClient),
            // Akka's own, each with a table of its messages.
            "ByteArraySerializer", "MessageContainerSerializer", "PrimitiveSerializers", "SystemMessageSerializer", "ClusterMessageSerializer",
            "DistributedPubSubMessageSerializer", "ClusterSingletonMessageSerializer", "ClusterShardingMessageSerializer",
            "ReplicatorMessageSerializer", "ReplicatedDataSerializer", "SnapshotSerializer", "PersistenceSnapshotSerializer", "PersistenceMessageSerializer",
            "StreamRefSerializer",
        ];
        var configured = _system.Settings.Config.GetConfig("akka.actor.serializers").AsEnumerable()
            .Select(s => s.Value.GetString().Split(',')[0].Split('.')[^1]).ToList();
        Assert.All(configured, name => Assert.Contains(name, known));
        Assert.Contains(nameof(RefusedJson), configured);
    }

    public sealed class OneSystem : IAsyncDisposable
    {
        public ActorSystem System { get; } = ActorSystem.Create("test", ConfigurationFactory
            .ParseString("akka { loglevel = WARNING, remote.dot-netty.tcp { hostname = \"127.0.0.1\", port = 0 } }").WithFallback(ClusterConfiguration.Reference));

        public async ValueTask DisposeAsync() => await System.Terminate();
    }
}
