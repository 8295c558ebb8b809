using System.Text;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Cluster.Tests;

/// <summary>What a control connection at one node announces is expected at all.</summary>
[Collection(TestNode.Clusters)]
public sealed class ExpectationTests
{
    internal static readonly PacketAddresses ToServer = PacketAddresses.Parse("10.0.0.1", "10.1.0.1");
    internal static readonly PacketAddresses ToClient = PacketAddresses.Parse("10.1.0.1", "10.0.0.1");

    [Fact]
    public async Task TheAnswerComesWhenEveryDirectoryKnows()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            for (ushort i = 0; i < 30; i++)
            {
                await AnnounceAsync(nodes[i % 3], i);
                // Now, at this very moment: nothing is waited for.
                Assert.All(nodes, n => Assert.True(n.Node.Expectations.Find(TestNode.TupleOf(Data(i, 30000)), 0, TestNode.Now()).IsSet));
            }
            Assert.All(nodes, n => Assert.Equal(0, n.Node.Statistics.ExpectationWaitsOver));
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    /// <summary>It has the expectation before the answer for which its packet waits: who else would know earlier?</summary>
    [Fact]
    public async Task TheNodeWhosePacketWaitsNeedNotAcknowledge()
    {
        var nodes = await TestNode.ClusterAsync(2);
        try
        {
            for (ushort i = 0; i < 30; i++)
            {
                await AnnounceAsync(nodes[0], i);
                Assert.All(nodes, n => Assert.True(n.Node.Expectations.Find(TestNode.TupleOf(Data(i, 30000)), 0, TestNode.Now()).IsSet));
            }
            Assert.InRange(nodes[0].Node.Statistics.Announcements, 1, 29); // of its own shards, to the other one
            Assert.Equal(0, nodes[1].Node.Statistics.Announcements);
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task OfRacingConnectionsOneIsRelated()
    {
        var nodes = await TestNode.ClusterAsync(3);
        try
        {
            for (ushort i = 0; i < 100; i++)
            {
                await AnnounceAsync(nodes[0], i);
                // Both have looked before either asks: the first one's answer withdraws it everywhere.
                var races = new[] { (Node: nodes[1], From: 30000), (Node: nodes[2], From: 30001) }.Select(race =>
                {
                    var packet = Data(i, (ushort)race.From);
                    var expectation = race.Node.Node.Expectations.Find(TestNode.TupleOf(packet), 0, TestNode.Now());
                    Assert.True(expectation.IsSet);
                    return (race.Node, packet, expectation);
                }).ToArray();
                var asked = races.Select(race => race.Node.AskAsync(100_000u + i, race.packet, race.expectation)).ToArray();
                var states = (await Task.WhenAll(asked)).Select(r => r.State).Order().ToArray();
                Assert.Equal([ConntrackState.New, ConntrackState.Related], states);
                await TestNode.Until(() => nodes.All(n => !n.Node.Expectations.Find(TestNode.TupleOf(Data(i, 30002)), 0, TestNode.Now()).IsSet),
                    "it was not withdrawn");
            }
        }
        finally
        {
            foreach (var node in nodes.Reverse()) await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task ANodeThatJoinsLaterIsTold()
    {
        var first = (await TestNode.ClusterAsync(1))[0];
        try
        {
            await AnnounceAsync(first, 7);
            await using var second = await TestNode.StartAsync(TestNode.Settings(first.Seed) with { Roles = [ClusterRoles.Capture] });
            await TestNode.Until(() => second.Node.Expectations.Find(TestNode.TupleOf(Data(7, 30000)), 0, TestNode.Now()).IsSet, "it was not told");
        }
        finally
        {
            await first.DisposeAsync();
        }
    }

    /// <summary>A control connection in which the server has answered PASV, just now.</summary>
    internal static async Task AnnounceAsync(TestNode node, ushort session)
    {
        var port = (ushort)(2000 + session);
        var id = 1000u * session;
        await node.AskAsync(++id, PacketBuilder.Tcp(ToServer, port, 21, TcpFlags.Syn, 100));
        await node.AskAsync(++id, PacketBuilder.Tcp(ToClient, 21, port, TcpFlags.Syn | TcpFlags.Ack, 500, 101));
        await node.AskAsync(++id, PacketBuilder.Tcp(ToServer, port, 21, TcpFlags.Ack, 101, 501));
        var greeting = "220 here\r\n"u8.ToArray(); // a line is read where the last one has ended
        await node.AskAsync(++id, PacketBuilder.Tcp(ToClient, 21, port, TcpFlags.Ack | TcpFlags.Psh, 501, 101, payload: greeting));
        var next = 501 + (uint)greeting.Length;
        await node.AskAsync(++id, PacketBuilder.Tcp(ToServer, port, 21, TcpFlags.Ack | TcpFlags.Psh, 101, next, payload: "PASV\r\n"u8));
        var data = 40000 + session;
        var line = Encoding.ASCII.GetBytes($"227 Entering Passive Mode (10,1,0,1,{data >> 8},{data & 255}).\r\n");
        var answer = await node.AskAsync(++id, PacketBuilder.Tcp(ToClient, 21, port, TcpFlags.Ack | TcpFlags.Psh, next, 107, payload: line));
        Assert.Equal(ConntrackState.Established, answer.State);
    }

    internal static byte[] Data(ushort session, ushort from) => PacketBuilder.Tcp(ToServer, from, (ushort)(40000 + session), TcpFlags.Syn, 1);
}
