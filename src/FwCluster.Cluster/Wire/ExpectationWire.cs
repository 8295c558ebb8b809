using System.Diagnostics.CodeAnalysis;
using System.Text;
using FwCluster.Cluster.Nodes;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using Google.Protobuf;
using Proto = FwCluster.Cluster.Protocol.V1;

namespace FwCluster.Cluster.Wire;

/// <summary>Expectations and claims as messages: few enough for generated code.</summary>
internal static class ExpectationWire
{
    /// <summary>An expectation that is announced.</summary>
    public static Proto.ExpectationChange Announced(int shard, ulong number, Expectation expectation, long now) => new()
    {
        Id = Id(shard, number), Tuple = Of(expectation.Tuple), MatchSourceAddress = expectation.MatchSourceAddress,
        MatchSourcePort = expectation.MatchSourcePort, IsPermanent = expectation.Permanent, ExpiresIn = expectation.Expires - now,
        Zone = expectation.Zone == 0 ? null : new Proto.Zone { Id = expectation.Zone, Directions = (uint)ZoneDirections.Both },
    };

    /// <summary>An expectation that is withdrawn.</summary>
    public static Proto.ExpectationChange Withdrawn(int shard, ulong number) => new() { Id = Id(shard, number), IsWithdrawn = true };

    /// <summary>The name of an expectation.</summary>
    public static Proto.ExpectationId Id(int shard, ulong number) => new() { Shard = (uint)shard, Number = number };

    /// <summary>Writes changes into this node's directory.</summary>
    public static void Apply(Proto.ExpectationChanges changes, NodeContext node)
    {
        var now = node.Now;
        foreach (var change in changes.Changes)
        {
            if (change.Id is null || change.Id.Shard >= node.Map.Shards)
            {
                node.Statistics.CountBroken();
                continue;
            }
            var id = new ExpectationId((int)change.Id.Shard, change.Id.Number);
            if (change.IsWithdrawn) node.Directory.Remove(id);
            else if (TryRead(change.Tuple, out var tuple)) node.Directory.Add(id, Read(change, tuple), now + change.ExpiresIn);
            else node.Statistics.CountBroken();
        }
        // Last: what stays is not missing for a moment.
        if (changes.IsAll) node.Directory.RemoveShard((int)changes.Shard, changes.Changes.Select(c => c.Id?.Number ?? 0).ToHashSet());
    }

    /// <summary>A tuple as a message.</summary>
    public static Proto.Tuple Of(in FlowTuple tuple)
    {
        Span<byte> address = stackalloc byte[16];
        var bytes = address[..tuple.Family.AddressBytes()];
        var message = new Proto.Tuple { SourcePort = tuple.SourcePort, DestinationPort = tuple.DestinationPort, Protocol = tuple.Protocol };
        tuple.Source.Write(tuple.Family, bytes);
        message.Source = ByteString.CopyFrom(bytes);
        tuple.Destination.Write(tuple.Family, bytes);
        message.Destination = ByteString.CopyFrom(bytes);
        return message;
    }

    /// <summary>A tuple from a message; false where it is none.</summary>
    public static bool TryRead(Proto.Tuple? message, out FlowTuple tuple)
    {
        tuple = default;
        if (message is null || message.Source.Length != message.Destination.Length || message.Source.Length is not (4 or 16)
            || message.SourcePort > ushort.MaxValue || message.DestinationPort > ushort.MaxValue || message.Protocol > byte.MaxValue)
            return false;
        var isIPv4 = message.Source.Length == 4;
        tuple.Family = isIPv4 ? IpFamily.IPv4 : IpFamily.IPv6;
        tuple.Source = isIPv4 ? IpAddress.ReadIPv4(message.Source.Span) : IpAddress.ReadIPv6(message.Source.Span);
        tuple.Destination = isIPv4 ? IpAddress.ReadIPv4(message.Destination.Span) : IpAddress.ReadIPv6(message.Destination.Span);
        (tuple.SourcePort, tuple.DestinationPort, tuple.Protocol) = ((ushort)message.SourcePort, (ushort)message.DestinationPort, (byte)message.Protocol);
        return true;
    }

    /// <summary>An expectation that a shard hands over.</summary>
    public static Proto.HandedExpectation Handed(int shard, ulong number, Expectation expectation, in Connection master, HelperNames helpers, long now) => new()
    {
        Expectation = Announced(shard, number, expectation, now), Class = expectation.Class, Helper = Encoding.UTF8.GetString(helpers.Of(expectation.Helper)),
        Master = Of(master.Original), MasterZone = new Proto.Zone { Id = master.Zone, Directions = (uint)master.ZoneDirections },
    };

    /// <summary>Reads an expectation that a shard hands over, but for its end and its master.</summary>
    public static bool TryRead(Proto.HandedExpectation handed, HelperNames helpers, out ulong number, [NotNullWhen(true)] out Expectation? expectation)
    {
        expectation = null;
        number = handed.Expectation?.Id?.Number ?? 0;
        if (number == 0 || !TryRead(handed.Expectation!.Tuple, out var tuple)) return false;
        expectation = Read(handed.Expectation, tuple) with
        {
            Class = (byte)handed.Class, Helper = helpers.Find(Encoding.UTF8.GetBytes(handed.Helper)),
        };
        return true;
    }

    private static Expectation Read(Proto.ExpectationChange change, in FlowTuple tuple) => new()
    {
        Tuple = tuple, MatchSourceAddress = change.MatchSourceAddress, MatchSourcePort = change.MatchSourcePort, Permanent = change.IsPermanent,
        Zone = (ushort)(change.Zone?.Id ?? 0), Master = -1, // it is another table's
    };
}
