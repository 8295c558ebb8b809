using FwCluster.Conntrack.Icmp;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <content>ICMP errors, which belong to the connection they quote (<c>nf_conntrack_icmpv4_error</c>, <c>nf_conntrack_icmpv6_error</c>,
/// <c>nf_conntrack_inet_error</c>).</content>
public sealed partial class ConnectionTable
{
    private const int IcmpHeader = 8;
    private const byte HighestIcmpType = 18;
    private const byte RouterSolicitation = 133, Redirect = 137, MulticastListenerReportV2 = 143,
        MulticastRouterAdvertisement = 151, MulticastRouterSolicitation = 152;

    /// <summary>Deals with errors and with messages that are not tracked; false for what goes the usual way.</summary>
    private bool TrackIcmpError(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now,
        ref TrackResult result)
    {
        if (headers.Protocol != (headers.Family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.IcmpV6)) return false;
        if (headers.Transport != TransportHeader.Whole)
        {
            result = Fail(result, TrackFailure.Malformed);
            return true;
        }
        if (ChecksumIsWrong(headers, packet, template))
        {
            result = Fail(result, TrackFailure.Checksum);
            return true;
        }

        var type = headers.IcmpType;
        var quoteAt = headers.TransportOffset + IcmpHeader;
        if (headers.Protocol == IpProtocol.Icmp)
        {
            if (type > HighestIcmpType)
            {
                result = Fail(result, TrackFailure.IcmpType);
                return true;
            }
        }
        else
        {
            // What keeps a link alive is never INVALID: listener and neighbour discovery, and of multicast router discovery (RFC 4286)
            // advertisement and solicitation. Its termination, 153, is not among them.
            if (type is >= 130 and <= 136 or MulticastListenerReportV2 or MulticastRouterAdvertisement or MulticastRouterSolicitation)
            {
                result.State = ConntrackState.Untracked;
                return true;
            }
            if (type == Redirect) return TrackRedirect(headers, packet, template, now, ref result);
        }
        if (!IcmpTypes.IsError(headers.Protocol, type)) return false;
        result = Quoted(headers, packet, quoteAt, template, now);
        return true;
    }

    /// <summary>A redirect quotes its packet in an option (<c>nf_conntrack_icmpv6_redirect</c>, RFC 4861 sections 4.5 and 4.6.3).</summary>
    private bool TrackRedirect(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now,
        ref TrackResult result)
    {
        const int message = 40;
        const byte redirectedHeader = 4;
        var optionAt = headers.TransportOffset + message;
        var end = Math.Min(packet.Length, headers.TotalLength);
        if (headers.IcmpCode != 0 && optionAt <= end) return false;

        var isLinkLocal = (headers.Source.High >> 54) == 0xfe80 >> 6;
        if (headers.Ttl != 255 || !isLinkLocal || optionAt + 2 > end || packet[optionAt + 1] == 0)
        {
            result = Fail(result, TrackFailure.IcmpBadQuote);
            return true;
        }
        if (packet[optionAt] != redirectedHeader) return false;
        result = Quoted(headers, packet, optionAt + 8, template, now);
        return true;
    }

    /// <summary>Reads which connection an ICMP error is about.</summary>
    /// <param name="headers">The packet's headers.</param>
    /// <param name="packet">Its bytes from the IP header on.</param>
    /// <param name="tuple">The tuple of that connection which goes with the error.</param>
    /// <returns>False where the packet is no error, or its quote cannot be read.</returns>
    public static bool TryReadQuote(in PacketHeaders headers, ReadOnlySpan<byte> packet, out FlowTuple tuple)
    {
        tuple = default;
        if (headers.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6) || headers.Transport != TransportHeader.Whole) return false;
        var quoteAt = headers.TransportOffset + IcmpHeader;
        if (headers.Protocol == IpProtocol.IcmpV6 && headers.IcmpType == Redirect)
        {
            const int redirectedHeaderOption = 40;
            quoteAt = headers.TransportOffset + redirectedHeaderOption + 8;
        }
        else if (!IcmpTypes.IsError(headers.Protocol, headers.IcmpType))
        {
            return false;
        }
        return TryReadQuote(in headers, packet, quoteAt, out tuple);
    }

    private static bool TryReadQuote(in PacketHeaders headers, ReadOnlySpan<byte> packet, int quoteAt, out FlowTuple tuple)
    {
        tuple = default;
        var end = Math.Min(packet.Length, headers.TotalLength);
        if (quoteAt >= end
            || PacketDecoder.DecodeQuoted(packet[quoteAt..end], headers.Family, out var quoted) != DecodeResult.Ok
            || quoted.Transport == TransportHeader.Malformed || quoted.FragmentOffset != 0)
            return false;
        var quotedTuple = quoted.Tuple;
        if (quotedTuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 && IcmpTypes.Answer(quotedTuple.Protocol, quotedTuple.IcmpType) < 0)
            return false;
        // The quoted packet goes against the error: look for the one that goes with it.
        tuple = TupleInverse.Of(quotedTuple);
        return true;
    }

    private TrackResult Quoted(in PacketHeaders headers, ReadOnlySpan<byte> packet, int quoteAt, in ConnectionTemplate template, long now)
    {
        var result = new TrackResult { Connection = -1, State = ConntrackState.Invalid, Failure = TrackFailure.IcmpBadQuote };
        if (!TryReadQuote(in headers, packet, quoteAt, out var inverse)) return result;
        result.Failure = TrackFailure.IcmpUnknownQuote;
        var index = FindLiving(inverse, _store.BucketOf(inverse), ZoneOf(template, ZoneDirections.Original),
            ZoneOf(template, ZoneDirections.Reply), now, out var direction);
        if (index < 0) return result;
        // The error must go to who sent the quoted packet; one for somebody else is forged.
        if (_store[index].Tuple(direction).Destination != headers.Destination)
        {
            result.Failure = TrackFailure.IcmpBadQuote;
            return result;
        }
        return new TrackResult { Connection = index, Direction = direction, State = ConntrackState.Related };
    }
}
