using CsCheck;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using Google.Protobuf;
using Proto = FwCluster.Cluster.Protocol.V1;

namespace FwCluster.Cluster.Tests;

/// <summary>What is written by hand is what protoc's code reads, and comes back as it was.</summary>
public sealed class ShardCodecTests
{
    private const long Now = 1_700_000_000_000_000_000;

    private static readonly ShardCodec Codec = new(new HelperNames(Helpers()));

    private static readonly byte[] Protocols = [6, 17, 1, 132, 47];

    private static readonly Gen<IpAddress> Address4 = Gen.UInt.Select(low => new IpAddress(0, low));
    private static readonly Gen<IpAddress> Address6 = Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new IpAddress(high, low));

    private static readonly Gen<FlowTuple> Tuple =
        from isIPv4 in Gen.Bool
        from source in isIPv4 ? Address4 : Address6
        from destination in isIPv4 ? Address4 : Address6
        from ports in Gen.Select(Gen.UShort, Gen.UShort)
        from protocol in Gen.Int[0, 4]
        select new FlowTuple
        {
            Source = source, Destination = destination, SourcePort = ports.Item1, DestinationPort = ports.Item2, Protocol = Protocols[protocol],
            Family = isIPv4 ? IpFamily.IPv4 : IpFamily.IPv6,
        };

    private static readonly Gen<Connection> Entry =
        from tuple in Tuple
        from numbers in Gen.ULong.Array[6]
        from small in Gen.Byte.Array[6]
        from mark in Gen.UInt
        from times in Gen.Long[-1_000_000_000_000, 1_000_000_000_000].Array[3]
        select new Connection
        {
            Original = tuple, Mark = mark, Status = ConnectionStatus.Confirmed | (ConnectionStatus)(small[0] & 7), Zone = small[1],
            ZoneDirections = (ZoneDirections)(small[2] & 3), Helper = (byte)(small[3] % 3), MasterHelper = (byte)(small[4] % 3),
            Grant = (GrantKind)(small[5] % 3), Expires = Now + times[0], Started = Now + times[1], StreamAfter = Now + times[2],
            OriginalCounters = new FlowCounters { Packets = numbers[0], Bytes = numbers[1] },
            ReplyCounters = new FlowCounters { Packets = numbers[2], Bytes = numbers[3] },
        };

    [Fact]
    public void RequestsComeBackAsTheyWere()
        => Gen.Select(Tuple, Entry, Gen.Byte.Array[0, 200], Gen.UInt, Gen.Int[1, 7]).Sample((tuple, entry, packet, id, kind) =>
        {
            var request = new ShardRequest
            {
                Kind = (ShardRequestKind)kind, Id = id, Tuple = tuple, Accepts = (AcceptedStates)(id & 30), AsksFirst = (id & 32) != 0, WireLength = 1500,
                Expectation = (id & 128) != 0 ? new ExpectationId((int)(id % 64), id) : default,
                HasEntry = (id & 64) != 0, Entry = (id & 64) != 0 ? entry : default,
                Template = new ConnectionTemplate
                {
                    Zone = entry.Zone, ZoneDirections = entry.ZoneDirections, Helper = entry.Helper, Checksum = (ChecksumCheck)(id % 3),
                },
            };
            var writer = new WireWriter();
            RequestsReader.Begin(writer, -5);
            Codec.Write(writer, 63, 255, request, packet, Now);
            var generated = Proto.ShardRequests.Parser.ParseFrom(writer.ToArray());

            // As protoc's code writes it, and one second later by another clock.
            const long later = 1_000_000_000;
            var bytes = generated.ToByteArray();
            Assert.Equal(-5, RequestsReader.NodeOf(bytes));
            var reader = new RequestsReader(bytes, Codec, Now + later);
            Assert.True(reader.Next());
            Assert.Equal((63, 255), (reader.Shard, reader.Worker));
            Assert.Equal(packet, reader.Packet);
            var expected = request;
            if (request.HasEntry)
            {
                expected.Entry.Expires += later;
                expected.Entry.Started = NotZero(expected.Entry.Started) + later;
                expected.Entry.StreamAfter = NotZero(expected.Entry.StreamAfter) + later;
            }
            Assert.Equivalent(expected.Entry, reader.Request.Entry, strict: true);
            Assert.Equivalent(expected.Template, reader.Request.Template, strict: true);
            Assert.Equal((expected.Kind, expected.Id, expected.Tuple, expected.Expectation, expected.Accepts, expected.AsksFirst, expected.WireLength, expected.HasEntry),
                (reader.Request.Kind, reader.Request.Id, reader.Request.Tuple, reader.Request.Expectation, reader.Request.Accepts, reader.Request.AsksFirst, reader.Request.WireLength, reader.Request.HasEntry));
            Assert.False(reader.Next());
            Assert.False(reader.IsBroken);
        });

    [Fact]
    public void RepliesComeBackAsTheyWere()
        => Gen.Select(Tuple, Entry, Gen.UInt, Gen.Int[1, 4]).Sample((tuple, entry, id, kind) =>
        {
            var reply = new ShardReply
            {
                Kind = (ShardReplyKind)kind, Id = id, Tuple = tuple, Zone = entry.Zone, ZoneDirections = entry.ZoneDirections,
                State = (ConntrackState)(id % 6), Direction = (Direction)(id & 1), Failure = (TrackFailure)(id % (uint)Enum.GetValues<TrackFailure>().Length),
                IsDropped = (id & 4) != 0, IsPending = (id & 8) != 0, HasEntry = (id & 16) != 0, Entry = (id & 16) != 0 ? entry : default,
            };
            var writer = new WireWriter();
            Codec.Write(writer, 7, 3, reply, Now);
            var generated = Assert.Single(Proto.ShardReplies.Parser.ParseFrom(writer.ToArray()).Replies);
            Assert.True(Codec.TryRead(generated.ToByteArray(), Now, out var read, out var shard, out var worker));
            Assert.Equal((7, 3), (shard, worker));
            if (reply.HasEntry)
            {
                reply.Entry.Started = NotZero(reply.Entry.Started);
                reply.Entry.StreamAfter = NotZero(reply.Entry.StreamAfter);
            }
            Assert.Equivalent(reply, read, strict: true);
        });

    [Fact]
    public void TrackersGoAlong()
    {
        var bytes = new byte[TrackerBytes.Length];
        bytes.AsSpan().Fill(200);
        var entry = new Connection { Original = TestNode.TupleOf(TestNode.Syn(1)), Status = ConnectionStatus.Confirmed, Expires = Now + 5 };
        Assert.False(TrackerBytes.TryRead(bytes, ref entry)); // a state that there is not
        bytes.AsSpan().Fill(1);
        Assert.True(TrackerBytes.TryRead(bytes, ref entry));
        var writer = new WireWriter();
        Codec.Write(writer, 0, 0, new ShardReply { Kind = ShardReplyKind.Answer, HasEntry = true, Entry = entry }, Now);
        var message = Proto.ShardReplies.Parser.ParseFrom(writer.ToArray()).Replies[0];
        Assert.True(Codec.TryRead(message.ToByteArray(), Now, out var read, out _, out _));
        var again = new byte[TrackerBytes.Length];
        Assert.Equal(bytes.Length, TrackerBytes.Write(read.Entry, again));
        Assert.Equal(bytes, again);

        message.Entry.Tracker = ByteString.CopyFrom([.. Enumerable.Repeat((byte)200, bytes.Length)]);
        Assert.False(Codec.TryRead(message.ToByteArray(), Now, out _, out _, out _));
        message.Entry.Tracker = ByteString.CopyFrom(1, 2, 3);
        Assert.False(Codec.TryRead(message.ToByteArray(), Now, out _, out _, out _));
    }

    [Fact]
    public void HelpersThatAreNotKnownHereAreLeftOut()
    {
        var writer = new WireWriter();
        Codec.Write(writer, 0, 0, Question with { Template = new ConnectionTemplate { Helper = 1 } }, default, Now);
        var request = Proto.ShardRequests.Parser.ParseFrom(writer.ToArray()).Requests[0];
        Assert.Equal("ftp", request.Helper);
        request.Helper = "sip";
        Assert.True(Codec.TryRead(request.ToByteArray(), Now, out var read, out _, out _, out _));
        Assert.Equal(0, read.Template.Helper);
    }

    [Fact]
    public void BrokenBytesAreRefusedAndDoNotThrow()
    {
        var writer = new WireWriter();
        Codec.Write(writer, 0, 0, Question with { HasEntry = true, Entry = new Connection { Original = TestNode.TupleOf(TestNode.Syn(1)) } }, new byte[40], Now);
        var whole = writer.ToArray();
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[1, whole.Length]).Sample((at, value, length) =>
        {
            var bytes = whole[..length];
            if (at < length) bytes[at] = value;
            RequestsReader.NodeOf(bytes);
            var reader = new RequestsReader(bytes, Codec, Now);
            while (reader.Next()) Assert.NotEqual((IpFamily)0, reader.Request.Tuple.Family);
        }, iter: 20_000);
    }

    private static ShardRequest Question => new() { Kind = ShardRequestKind.Ask, Id = 1, Tuple = TestNode.TupleOf(TestNode.Syn(1)), WireLength = 40 };

    private static long NotZero(long time) => time == Now ? Now + 1 : time;

    private static IReadOnlyList<ConnectionHelper> Helpers()
    {
        Assert.True(ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out var error), error);
        return helpers;
    }
}
