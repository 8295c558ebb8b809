using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Reject;

/// <summary>
/// What a REJECT rule sends back, byte for byte as the kernel's ipt_REJECT and ip6t_REJECT (nf_reject_ipv4.c, nf_reject_ipv6.c,
/// <c>__icmp_send</c>, <c>icmp6_send</c>). Pure; does not allocate; never throws for what a packet holds.
/// </summary>
/// <remarks>Rates are not limited here: ask <see cref="IcmpRateLimit"/> before an ICMP answer is sent, as the kernel does. It does
/// not limit resets.</remarks>
public static class RejectAnswer
{
    /// <summary>The longest answer: an ICMPv6 error fills IPv6's smallest MTU.</summary>
    public const int MaxBytes = 1280;

    /// <summary>Writes the answer to a rejected packet.</summary>
    /// <param name="type">How to tell the sender; one of the packet's family.</param>
    /// <param name="packet">The packet as it is at the hook. (In FORWARD its TTL is counted down already.)</param>
    /// <param name="route">What this host knows of the way back.</param>
    /// <param name="answer">Where the answer goes, from its IP header on; at least <see cref="MaxBytes"/> bytes.</param>
    /// <returns>The answer's length in bytes, or 0 where the kernel sends none: to errors, resets, later fragments, broadcast and
    /// multicast, packets with a wrong checksum.</returns>
    public static int Write(RejectType type, in PacketContext packet, in RejectRoute route, Span<byte> answer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(answer.Length, MaxBytes);
        if (!HasOneSender(in packet)) return 0;
        if (type == RejectType.TcpReset) return TcpReset.Write(in packet, in route, answer);
        return packet.Headers.Family == IpFamily.IPv4
            ? IcmpUnreachable.Write(type.IcmpCode(), in packet, in route, answer)
            : IcmpV6Unreachable.Write(type.IcmpCode(), in packet, in route, answer);
    }

    /// <summary>Nothing answers "no address", a group or everybody (<c>icmp6_send</c>, <c>nf_send_reset6</c>; IPv4's input drops
    /// packets from such sources before rules see them).</summary>
    private static bool HasOneSender(in PacketContext packet)
    {
        var source = packet.AddressTypes.TypeOf(packet.Headers.Family, packet.Headers.Source);
        return (source & (AddressType.Unspec | AddressType.Multicast | AddressType.Broadcast)) == 0;
    }
}
