using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests;

/// <summary>A packet as rules of a hook see it.</summary>
internal sealed class PacketAtHook
{
    public required Hook Hook { get; init; }

    public required byte[] Packet { get; init; }

    public InterfaceName In { get; init; }

    public InterfaceName Out { get; init; }

    public HostAddresses Addresses { get; init; } = HostAddresses.None;

    public LinkHeader Link { get; init; }

    public uint Mark { get; init; }

    public long Now { get; init; }

    public delegate T Use<out T>(in PacketContext context);

    /// <summary>Counts the TTL down as the stack does before FORWARD.</summary>
    public static byte[] Forwarded(byte[] packet)
    {
        byte[] forwarded = [.. packet];
        if (packet[0] >> 4 == 4)
        {
            forwarded[8]--;
            Referee.Packets.PacketBuilder.WriteHeaderChecksum(forwarded);
        }
        else
        {
            forwarded[7]--;
        }
        return forwarded;
    }

    /// <summary>The addresses of a host, each alone in its network unless a prefix length is given.</summary>
    public static HostAddresses Host(params IEnumerable<string> addresses)
    {
        var parsed = ImmutableArray.CreateBuilder<HostAddress>();
        foreach (var text in addresses)
        {
            Assert.True(HostAddress.TryParse(text, out var address, out var error), error);
            parsed.Add(address);
        }
        return new HostAddresses(parsed.ToImmutable());
    }

    public T With<T>(Use<T> use)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(Packet, Packet.Length, out var headers));
        var link = Link;
        var context = new PacketContext
        {
            Headers = ref headers,
            Packet = Packet.AsSpan(0, headers.TotalLength),
            Link = ref link,
            In = In,
            Out = Out,
            Hook = Hook,
            Mark = Mark,
            Track = new TrackResult { Connection = -1 },
            AddressTypes = Addresses,
            Log = NoPacketLog.Instance,
            Now = Now,
        };
        return use(in context);
    }
}
