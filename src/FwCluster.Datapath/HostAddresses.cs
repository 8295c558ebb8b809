using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>
/// The addresses of the host whose rules run: what the kernel knows from its interfaces. They tell a packet's way, and answer
/// <c>-m addrtype</c>. Without any, every packet is one to forward. Any thread may ask, also while another one replaces them.
/// </summary>
public sealed class HostAddresses : IAddressTypes
{
    private static readonly IpAddress LimitedBroadcast = new(0, 0xffff_ffff);
    private static readonly IpAddress LoopbackV6 = new(0, 1);

    private volatile Known _known;

    /// <summary>Takes the host's addresses.</summary>
    public HostAddresses(ImmutableArray<HostAddress> addresses) => _known = new Known(addresses);

    /// <summary>No addresses: a host that only forwards.</summary>
    public static HostAddresses None => new([]);

    /// <summary>True where no address was given.</summary>
    public bool IsEmpty => _known.Local.Count == 0;

    /// <summary>Takes the addresses that the host has from now on.</summary>
    public void Replace(ImmutableArray<HostAddress> addresses) => _known = new Known(addresses);

    /// <summary>Tells the way of a packet by its addresses.</summary>
    /// <param name="headers">The packet.</param>
    /// <param name="linkType">To whom the link layer addressed it: what went to all on a link was never forwarded.</param>
    public PacketWay WayOf(in PacketHeaders headers, LinkPacketType linkType)
    {
        if (IsEmpty) return PacketWay.Forward;
        var toUs = IsLocal(headers.Family, headers.Destination);
        if (IsLocal(headers.Family, headers.Source)) return toUs ? PacketWay.Loopback : PacketWay.Output;
        return toUs || linkType is LinkPacketType.Broadcast or LinkPacketType.Multicast || IsToMany(headers.Family, headers.Destination)
            ? PacketWay.Input
            : PacketWay.Forward;
    }

    /// <summary>What <c>inet_addr_type</c> (IPv4) and <c>ipv6_addr_type</c> with a route lookup (IPv6) say.</summary>
    public AddressType TypeOf(IpFamily family, IpAddress address)
    {
        if (family == IpFamily.IPv4)
        {
            if (address == default || address == LimitedBroadcast || _known.Broadcast.Contains(address)) return AddressType.Broadcast;
            if (IsMulticast(family, address)) return AddressType.Multicast;
            return IsLoopback(family, address) || _known.Local.Contains((family, address)) ? AddressType.Local : AddressType.Unicast;
        }
        if (address == default) return AddressType.Unspec;
        if (IsMulticast(family, address)) return AddressType.Multicast;
        return IsLoopback(family, address) || _known.Local.Contains((family, address))
            ? AddressType.Local | AddressType.Unicast
            : AddressType.Unicast;
    }

    private bool IsLocal(IpFamily family, IpAddress address) => _known.Local.Contains((family, address)) || IsLoopback(family, address);

    private bool IsToMany(IpFamily family, IpAddress address)
        => IsMulticast(family, address)
            || (family == IpFamily.IPv4 && (address == LimitedBroadcast || _known.Broadcast.Contains(address)));

    private static bool IsMulticast(IpFamily family, IpAddress address)
        => family == IpFamily.IPv4 ? address.Low >> 28 == 0xe : address.High >> 56 == 0xff;

    private static bool IsLoopback(IpFamily family, IpAddress address)
        => family == IpFamily.IPv4 ? address.Low >> 24 == 127 : address == LoopbackV6;

    /// <summary>The addresses of one moment. Immutable.</summary>
    private sealed class Known
    {
        public readonly HashSet<(IpFamily, IpAddress)> Local = [];
        public readonly HashSet<IpAddress> Broadcast = [];

        public Known(ImmutableArray<HostAddress> addresses)
        {
            foreach (var address in addresses)
            {
                Local.Add((address.Family, address.Address));
                // A network of two or one has no broadcast address (fib_add_ifaddr).
                if (address.Family == IpFamily.IPv4 && address.PrefixLength < 31)
                    Broadcast.Add(new IpAddress(0, address.Address.Low | (0xffff_ffffu >> address.PrefixLength)));
            }
        }
    }
}

/// <summary>An address of a host, with the prefix length of its network.</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Bits of the network's prefix; the address's full length where nothing is known of its network.</param>
public readonly record struct HostAddress(IpFamily Family, IpAddress Address, int PrefixLength)
{
    /// <summary>Reads <c>ADDRESS</c> or <c>ADDRESS/LENGTH</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="address">The address.</param>
    /// <param name="error">What is wrong, and what would be right.</param>
    public static bool TryParse(string text, out HostAddress address, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? text : text[..slash];
        if (!IpAddress.TryParse(host, out var parsed, out var family))
        {
            error = $"'{host}' is no address; 192.0.2.1, 192.0.2.1/24 or 2001:db8::1 would be";
            return false;
        }
        var length = family.AddressBits();
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length)
            || length > family.AddressBits()))
        {
            error = $"'{text[(slash + 1)..]}' is no prefix length; a number from 0 to {family.AddressBits()} is";
            return false;
        }
        address = new HostAddress(family, parsed, length);
        error = null;
        return true;
    }
}
