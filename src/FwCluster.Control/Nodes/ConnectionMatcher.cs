using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Conntrack;
using FwCluster.Packets;
using Entry = FwCluster.Conntrack.Connection;
using Status = FwCluster.Api.V1.ConnectionStatus;

namespace FwCluster.Control.Nodes;

/// <summary>A filter made ready: asked of each entry on its owner's thread, it allocates nothing.</summary>
public sealed class ConnectionMatcher
{
    private static readonly string[] KnownStates =
    [
        .. Enum.GetValues<TcpState>().Select(ConnectionListing.StateName), .. Enum.GetValues<SctpState>().Where(s => s != SctpState.None).Select(s => s.Name()),
    ];

    private readonly IpFamily _family;
    private readonly byte? _protocol;
    private readonly AddressRange? _source;
    private readonly AddressRange? _destination;
    private readonly AddressRange? _address;
    private readonly PortRange? _sourcePort;
    private readonly PortRange? _destinationPort;
    private readonly string[] _states;
    private readonly Conntrack.ConnectionStatus _status;
    private readonly bool _unreplied;
    private readonly string _helper;
    private readonly (uint Value, uint Mask)? _mark;
    private readonly uint? _zone;

    private ConnectionMatcher(ConnectionFilter filter)
    {
        Filter = filter;
        _family = FamilyOf(filter.Family);
        _protocol = filter.Protocol.Length > 0 ? ProtocolOf(filter.Protocol) : null;
        _source = Address("source", filter.Source);
        _destination = Address("destination", filter.Destination);
        _address = Address("address", filter.Address);
        _sourcePort = Ports("source_port", filter.SourcePort);
        _destinationPort = Ports("destination_port", filter.DestinationPort);
        _states = [.. filter.States];
        foreach (var state in _states)
            if (Array.IndexOf(KnownStates, state) < 0)
                throw new FilterException($"states has '{state}'; there are {string.Join(", ", KnownStates.Distinct())}");
        foreach (var bit in filter.Status) _status |= StatusOf(bit);
        _unreplied = filter.Unreplied;
        _helper = filter.Helper;
        _mark = filter.Mark.Length > 0 ? MarkOf(filter.Mark) : null;
        _zone = filter.HasZone ? filter.Zone : null;
        IsAll = filter.Equals(new ConnectionFilter()) || filter.Equals(new ConnectionFilter { Node = filter.Node });
    }

    /// <summary>Matches everything.</summary>
    public static ConnectionMatcher All { get; } = new(new ConnectionFilter());

    /// <summary>The filter it was made from.</summary>
    public ConnectionFilter Filter { get; }

    /// <summary>True where it matches every entry of the nodes that it is about.</summary>
    public bool IsAll { get; }

    /// <summary>Makes a filter ready.</summary>
    /// <exception cref="FilterException">A field is wrong.</exception>
    public static ConnectionMatcher From(ConnectionFilter? filter) => filter is null ? All : new ConnectionMatcher(filter);

    /// <summary>True where entries of this node may match.</summary>
    public bool Concerns(string node) => Filter.Node.Length == 0 || Filter.Node == node;

    /// <summary>True where entries of this shard may match.</summary>
    public bool Concerns(uint shard) => !Filter.HasShard || Filter.Shard == shard;

    /// <summary>True for an entry that matches.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="table">The table that has it.</param>
    public bool Matches(in Entry entry, ConnectionTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        ref readonly var tuple = ref entry.Original;
        if (_family != IpFamily.None && tuple.Family != _family) return false;
        if (_protocol is { } protocol && tuple.Protocol != protocol) return false;
        if (_source is { } source && !source.Contains(tuple.Family, tuple.Source)) return false;
        if (_destination is { } destination && !destination.Contains(tuple.Family, tuple.Destination)) return false;
        if (_address is { } either && !either.Contains(tuple.Family, tuple.Source) && !either.Contains(tuple.Family, tuple.Destination)) return false;
        if ((_sourcePort is not null || _destinationPort is not null) && !HasPorts(tuple.Protocol)) return false;
        if (_sourcePort is { } from && !from.Contains(tuple.SourcePort)) return false;
        if (_destinationPort is { } to && !to.Contains(tuple.DestinationPort)) return false;
        if ((entry.Status & _status) != _status) return false;
        if (_unreplied && (entry.Status & Conntrack.ConnectionStatus.SeenReply) != 0) return false;
        if (_mark is { } mark && (entry.Mark & mark.Mask) != mark.Value) return false;
        if (_zone is { } zone && entry.Zone != zone) return false;
        if (_helper.Length > 0 && (entry.Helper == 0 || table.Helpers[entry.Helper - 1].Name != _helper)) return false;
        return _states.Length == 0 || Array.IndexOf(_states, ConnectionListing.ProtocolState(in entry)) >= 0;
    }

    /// <summary>True for protocols that have ports.</summary>
    internal static bool HasPorts(byte protocol)
        => protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp;

    private static AddressRange? Address(string field, string text) => text.Length > 0 ? AddressRange.Parse(field, text) : null;

    private static PortRange? Ports(string field, string text) => text.Length > 0 ? PortRange.Parse(field, text) : null;

    private static IpFamily FamilyOf(Family family) => family switch
    {
        Family.Unspecified => IpFamily.None,
        Family.Ipv4 => IpFamily.IPv4,
        Family.Ipv6 => IpFamily.IPv6,
        _ => throw new FilterException($"family is {family}; FAMILY_IPV4 and FAMILY_IPV6 are right"),
    };

    private static Conntrack.ConnectionStatus StatusOf(Status bit) => bit switch
    {
        Status.Expected => Conntrack.ConnectionStatus.Expected,
        Status.SeenReply => Conntrack.ConnectionStatus.SeenReply,
        Status.Assured => Conntrack.ConnectionStatus.Assured,
        _ => throw new FilterException($"status has {bit}; CONNECTION_STATUS_EXPECTED, CONNECTION_STATUS_SEEN_REPLY and CONNECTION_STATUS_ASSURED are right"),
    };

    private static byte ProtocolOf(string text)
    {
        if (byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        for (var protocol = 0; protocol <= byte.MaxValue; protocol++)
        {
            if (text != "unknown" && ConnectionListing.ProtocolName((byte)protocol) == text) return (byte)protocol;
        }
        throw new FilterException($"protocol is '{text}'; tcp, udp, udplite, icmp, icmpv6, sctp, gre, dccp and numbers from 0 to 255 are right");
    }

    private static (uint, uint) MarkOf(string text)
    {
        var parts = text.Split('/');
        if (parts.Length <= 2 && Number(parts[0]) is { } value && (parts.Length == 1 ? uint.MaxValue : Number(parts[1])) is { } mask)
            return (value & mask, mask);
        throw new FilterException($"mark is '{text}'; 16, 0x10 and 0x10/0xf0 are right");
    }

    private static uint? Number(string text)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return uint.TryParse(isHex ? text.AsSpan(2) : text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }
}
