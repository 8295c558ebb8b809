using System.Text;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;

namespace FwCluster.Cluster.Wire;

/// <summary>
/// What workers and shards say, as the messages of <c>shard.proto</c>. Times go as what is left, or has passed, by the sender's clock; helpers and
/// failures by name. Does not allocate.
/// </summary>
internal sealed class ShardCodec(HelperNames helpers)
{
    /// <summary>The helpers that this node knows.</summary>
    public HelperNames Helpers => helpers;

    private static readonly byte[][] FailureNames = [.. Enum.GetNames<TrackFailure>().Select(Encoding.UTF8.GetBytes)];

    /// <summary>Adds a request to a <c>ShardRequests</c>.</summary>
    public void Write(WireWriter writer, int shard, int worker, in ShardRequest request, ReadOnlySpan<byte> packet, long now)
    {
        var begun = writer.Begin(1);
        writer.Number(1, (ulong)request.Kind);
        writer.Number(2, (uint)shard);
        writer.Number(3, (uint)worker);
        writer.Number(4, request.Id);
        WriteTuple(writer, 5, request.Tuple);
        WriteZone(writer, 6, request.Template.Zone, request.Template.ZoneDirections);
        writer.Bytes(7, helpers.Of(request.Template.Helper));
        writer.Number(8, (ulong)request.Accepts);
        writer.Flag(9, request.AsksFirst);
        writer.Flag(10, request.Template.Checksum == ChecksumCheck.Wrong);
        writer.Bytes(11, packet);
        writer.Number(12, (uint)request.WireLength);
        if (request.HasEntry) WriteEntry(writer, 13, request.Entry, now);
        if (request.Expectation.IsSet)
        {
            var expectation = writer.Begin(14);
            writer.Number(1, (uint)request.Expectation.Shard);
            writer.Number(2, request.Expectation.Number);
            writer.End(expectation);
        }
        writer.Flag(15, request.Template.Checksum == ChecksumCheck.Right);
        writer.Bytes(16, request.Helper);
        writer.End(begun);
    }

    /// <summary>Reads a <c>ShardRequest</c>.</summary>
    /// <returns>False where it is broken.</returns>
    public bool TryRead(ReadOnlySpan<byte> message, long now, out ShardRequest request, out int shard, out int worker, out ReadOnlySpan<byte> packet)
    {
        var reader = new WireReader(message);
        request = default;
        packet = default;
        shard = worker = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: request.Kind = (ShardRequestKind)reader.AtMost((ulong)ShardRequestKind.Close); break;
                case 2: shard = (int)reader.AtMost(int.MaxValue); break;
                case 3: worker = (int)reader.AtMost(Nodes.Holder.MaxWorker); break;
                case 4: request.Id = (uint)reader.AtMost(uint.MaxValue); break;
                case 5: ReadTuple(ref reader, ref request.Tuple); break;
                case 6: ReadZone(ref reader, ref request.Template.Zone, ref request.Template.ZoneDirections); break;
                case 7: request.Template.Helper = helpers.Find(reader.Bytes); break;
                case 8: request.Accepts = (AcceptedStates)reader.AtMost(byte.MaxValue); break;
                case 9: request.AsksFirst = reader.Flag; break;
                case 10 when reader.Flag: request.Template.Checksum = ChecksumCheck.Wrong; break;
                case 11: packet = reader.Bytes; break;
                case 12: request.WireLength = (int)reader.AtMost(ushort.MaxValue * 2); break;
                case 13: request.HasEntry = true; ReadEntry(ref reader, ref request.Entry, now); break;
                case 14: ReadExpectation(ref reader, ref request.Expectation); break;
                case 16: request.Helper = reader.Bytes.ToArray(); break;
                case 15 when reader.Flag: request.Template.Checksum = ChecksumCheck.Right; break;
                default: break; // of a later release
            }
        }
        return !reader.IsBroken && request.Kind != 0 && request.Tuple.Family != 0;
    }

    /// <summary>Adds a reply to a <c>ShardReplies</c>.</summary>
    public void Write(WireWriter writer, int shard, int worker, in ShardReply reply, long now)
    {
        var begun = writer.Begin(1);
        writer.Number(1, (ulong)reply.Kind);
        writer.Number(2, (uint)shard);
        writer.Number(3, (uint)worker);
        writer.Number(4, reply.Id);
        if (reply.Tuple.Family != 0) WriteTuple(writer, 5, reply.Tuple);
        WriteZone(writer, 6, reply.Zone, reply.ZoneDirections);
        writer.Number(7, (ulong)reply.State);
        writer.Number(8, (ulong)reply.Direction);
        if (reply.Failure != TrackFailure.None) writer.Bytes(9, FailureNames[(int)reply.Failure]);
        writer.Flag(10, reply.IsDropped);
        writer.Flag(11, reply.IsPending);
        if (reply.HasEntry) WriteEntry(writer, 12, reply.Entry, now);
        writer.Bytes(13, reply.Helper);
        writer.End(begun);
    }

    /// <summary>Reads a <c>ShardReply</c>.</summary>
    /// <returns>False where it is broken.</returns>
    public bool TryRead(ReadOnlySpan<byte> message, long now, out ShardReply reply, out int shard, out int worker)
    {
        var reader = new WireReader(message);
        reply = default;
        shard = worker = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: reply.Kind = (ShardReplyKind)reader.AtMost((ulong)ShardReplyKind.Revoke); break;
                case 2: shard = (int)reader.AtMost(int.MaxValue); break;
                case 3: worker = (int)reader.AtMost(Nodes.Holder.MaxWorker); break;
                case 4: reply.Id = (uint)reader.AtMost(uint.MaxValue); break;
                case 5: ReadTuple(ref reader, ref reply.Tuple); break;
                case 6: ReadZone(ref reader, ref reply.Zone, ref reply.ZoneDirections); break;
                case 7: reply.State = (ConntrackState)reader.AtMost((ulong)ConntrackState.Untracked); break;
                case 8: reply.Direction = (Direction)reader.AtMost((ulong)Direction.Reply); break;
                case 9: reply.Failure = FailureOf(reader.Bytes); break;
                case 10: reply.IsDropped = reader.Flag; break;
                case 11: reply.IsPending = reader.Flag; break;
                case 12: reply.HasEntry = true; ReadEntry(ref reader, ref reply.Entry, now); break;
                case 13: reply.Helper = reader.Bytes.ToArray(); break;
                default: break;
            }
        }
        return !reader.IsBroken && reply.Kind != 0;
    }

    /// <summary>Adds an entry.</summary>
    public void WriteEntry(WireWriter writer, int field, in Connection entry, long now)
    {
        var begun = writer.Begin(field);
        WriteTuple(writer, 1, entry.Original);
        WriteZone(writer, 2, entry.Zone, entry.ZoneDirections);
        writer.Number(3, (ulong)entry.Status);
        writer.Number(4, entry.Mark);
        writer.Signed(5, entry.IsConfirmed ? entry.Expires - now : entry.Expires); // unconfirmed: the timeout itself
        if (entry.Started != 0) writer.Signed(6, NotZero(now - entry.Started));
        writer.Bytes(7, helpers.Of(entry.Helper));
        writer.Bytes(8, helpers.Of(entry.MasterHelper));
        writer.Number(9, (ulong)entry.Grant);
        writer.Number(10, entry.OriginalCounters.Packets);
        writer.Number(11, entry.OriginalCounters.Bytes);
        writer.Number(12, entry.ReplyCounters.Packets);
        writer.Number(13, entry.ReplyCounters.Bytes);
        Span<byte> tracker = stackalloc byte[TrackerBytes.Length];
        writer.Bytes(14, tracker[..TrackerBytes.Write(entry, tracker)]);
        if (entry.StreamAfter != 0) writer.Signed(15, NotZero(entry.StreamAfter - now));
        writer.End(begun);
    }

    /// <summary>Reads an entry, which is the outer message's field that was just read; where it cannot be, the outer message is broken.</summary>
    public void ReadEntry(ref WireReader outer, ref Connection entry, long now)
    {
        var reader = new WireReader(outer.Bytes);
        ReadOnlySpan<byte> tracker = default;
        long expiresIn = 0, age = 0, streamIn = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: ReadTuple(ref reader, ref entry.Original); break;
                case 2: ReadZone(ref reader, ref entry.Zone, ref entry.ZoneDirections); break;
                case 3: entry.Status = (ConnectionStatus)reader.AtMost(ushort.MaxValue); break;
                case 4: entry.Mark = (uint)reader.AtMost(uint.MaxValue); break;
                case 5: expiresIn = (long)reader.Number; break;
                case 6: age = (long)reader.Number; break;
                case 7: entry.Helper = helpers.Find(reader.Bytes); break;
                case 8: entry.MasterHelper = helpers.Find(reader.Bytes); break;
                case 9: entry.Grant = (GrantKind)reader.AtMost((ulong)GrantKind.Shared); break;
                case 10: entry.OriginalCounters.Packets = reader.Number; break;
                case 11: entry.OriginalCounters.Bytes = reader.Number; break;
                case 12: entry.ReplyCounters.Packets = reader.Number; break;
                case 13: entry.ReplyCounters.Bytes = reader.Number; break;
                case 14: tracker = reader.Bytes; break;
                case 15: streamIn = (long)reader.Number; break;
                default: break;
            }
        }
        entry.Expires = !entry.IsConfirmed ? expiresIn : expiresIn > long.MaxValue - now ? long.MaxValue : now + expiresIn; // of an owner that knows no end
        entry.Started = age == 0 ? 0 : now - age;
        entry.StreamAfter = streamIn == 0 ? 0 : now + streamIn;
        if (reader.IsBroken || entry.Original.Family == 0 || !TrackerBytes.TryRead(tracker, ref entry)) outer.Break();
    }

    /// <summary>Zero means that there is no such time: this very nanosecond is said to be the next.</summary>
    private static long NotZero(long nanoseconds) => nanoseconds == 0 ? 1 : nanoseconds;

    private static void WriteTuple(WireWriter writer, int field, in FlowTuple tuple)
    {
        var begun = writer.Begin(field);
        writer.Address(1, tuple.Source, tuple.Family);
        writer.Address(2, tuple.Destination, tuple.Family);
        writer.Number(3, tuple.SourcePort);
        writer.Number(4, tuple.DestinationPort);
        writer.Number(5, tuple.Protocol);
        writer.End(begun);
    }

    private static void ReadTuple(ref WireReader outer, ref FlowTuple tuple)
    {
        var reader = new WireReader(outer.Bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: tuple.Source = reader.Address(ref tuple.Family); break;
                case 2: tuple.Destination = reader.Address(ref tuple.Family); break;
                case 3: tuple.SourcePort = (ushort)reader.AtMost(ushort.MaxValue); break;
                case 4: tuple.DestinationPort = (ushort)reader.AtMost(ushort.MaxValue); break;
                case 5: tuple.Protocol = (byte)reader.AtMost(byte.MaxValue); break;
                default: break;
            }
        }
        if (reader.IsBroken || tuple.Family == 0) outer.Break();
    }

    private static void WriteZone(WireWriter writer, int field, ushort zone, ZoneDirections directions)
    {
        if (zone == 0 && directions == ZoneDirections.None) return;
        var begun = writer.Begin(field);
        writer.Number(1, zone);
        writer.Number(2, (ulong)directions);
        writer.End(begun);
    }

    private static void ReadZone(ref WireReader outer, ref ushort zone, ref ZoneDirections directions)
    {
        var reader = new WireReader(outer.Bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: zone = (ushort)reader.AtMost(ushort.MaxValue); break;
                case 2: directions = (ZoneDirections)reader.AtMost((ulong)ZoneDirections.Both); break;
                default: break;
            }
        }
        if (reader.IsBroken) outer.Break();
    }

    private static void ReadExpectation(ref WireReader outer, ref ExpectationId expectation)
    {
        var reader = new WireReader(outer.Bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: expectation = expectation with { Shard = (int)reader.AtMost(int.MaxValue) }; break;
                case 2: expectation = expectation with { Number = reader.Number }; break;
                default: break;
            }
        }
        if (reader.IsBroken) outer.Break();
    }

    private static TrackFailure FailureOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < FailureNames.Length; i++)
        {
            if (name.SequenceEqual(FailureNames[i])) return (TrackFailure)i;
        }
        return TrackFailure.Malformed;
    }
}
