using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Control.Nodes;

/// <summary>Addresses of one family from one to another, both included.</summary>
internal readonly record struct AddressRange(IpFamily Family, IpAddress First, IpAddress Last)
{
    /// <summary>Reads <c>192.0.2.1</c>, <c>192.0.2.0/24</c> or <c>192.0.2.1-192.0.2.9</c>.</summary>
    /// <exception cref="FilterException">It is none of these.</exception>
    public static AddressRange Parse(string field, string text)
    {
        var wrong = new FilterException($"{field} is '{text}'; 192.0.2.1, 192.0.2.0/24 and 192.0.2.1-192.0.2.9 are right, and so with IPv6");
        if (text.Split('-') is [var from, var to])
        {
            return IpAddress.TryParse(from, out var first, out var family) && IpAddress.TryParse(to, out var last, out var lastFamily)
                && family == lastFamily && first <= last ? new(family, first, last) : throw wrong;
        }
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IpAddress.TryParse(slash < 0 ? text : text[..slash], out var address, out var itsFamily)) throw wrong;
        if (slash < 0) return new(itsFamily, address, address);
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > itsFamily.AddressBits()) throw wrong;
        var mask = IpAddress.PrefixMask(itsFamily, length).Value;
        var all = IpAddress.PrefixMask(itsFamily, itsFamily.AddressBits()).Value;
        return new(itsFamily, IpAddress.FromValue(address.Value & mask), IpAddress.FromValue(address.Value | (all & ~mask)));
    }

    /// <summary>True for an address in the range.</summary>
    public bool Contains(IpFamily family, IpAddress address) => family == Family && First <= address && address <= Last;
}

/// <summary>Ports from one to another, both included.</summary>
internal readonly record struct PortRange(ushort First, ushort Last)
{
    /// <summary>Reads <c>21</c> or <c>1024-65535</c>.</summary>
    /// <exception cref="FilterException">It is neither.</exception>
    public static PortRange Parse(string field, string text)
    {
        var parts = text.Split('-');
        return parts.Length <= 2
            && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && first <= last
            ? new(first, last)
            : throw new FilterException($"{field} is '{text}'; a port such as 21, or ports such as 1024-65535, are right");
    }

    /// <summary>True for a port in the range.</summary>
    public bool Contains(ushort port) => First <= port && port <= Last;
}
