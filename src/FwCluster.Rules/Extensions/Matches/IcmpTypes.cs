using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>An ICMP or ICMPv6 type with a range of codes.</summary>
/// <param name="Type">The type.</param>
/// <param name="LowCode">First code.</param>
/// <param name="HighCode">Last code.</param>
public readonly record struct IcmpTypeCode(byte Type, byte LowCode, byte HighCode)
{
    /// <summary><c>8</c>, <c>3/1</c>, <c>3/1:4</c>. A range of codes is written as one, where iptables-save writes its first code only and so
    /// loses the others.</summary>
    public override string ToString()
        => LowCode == 0 && HighCode == byte.MaxValue ? Type.ToString(CultureInfo.InvariantCulture)
            : LowCode == HighCode ? string.Create(CultureInfo.InvariantCulture, $"{Type}/{LowCode}")
            : string.Create(CultureInfo.InvariantCulture, $"{Type}/{LowCode}:{HighCode}");
}

/// <summary>Names of ICMP types and codes (libxt_icmp.h).</summary>
internal static class IcmpTypes
{
    /// <summary>ICMP's "any" type, which is no type of the protocol's.</summary>
    public const byte Any = 255;

    /// <summary>ICMP's names (RFC 792 and what followed).</summary>
    public static ImmutableArray<(string Name, IcmpTypeCode Value)> IPv4 { get; } =
    [
        All("any", Any), All("echo-reply", 0), All("pong", 0), All("destination-unreachable", 3), One("network-unreachable", 3, 0),
        One("host-unreachable", 3, 1), One("protocol-unreachable", 3, 2), One("port-unreachable", 3, 3),
        One("fragmentation-needed", 3, 4), One("source-route-failed", 3, 5), One("network-unknown", 3, 6), One("host-unknown", 3, 7),
        One("network-prohibited", 3, 9), One("host-prohibited", 3, 10), One("TOS-network-unreachable", 3, 11),
        One("TOS-host-unreachable", 3, 12), One("communication-prohibited", 3, 13), One("host-precedence-violation", 3, 14),
        One("precedence-cutoff", 3, 15), All("source-quench", 4), All("redirect", 5), One("network-redirect", 5, 0),
        One("host-redirect", 5, 1), One("TOS-network-redirect", 5, 2), One("TOS-host-redirect", 5, 3), All("echo-request", 8),
        All("ping", 8), All("router-advertisement", 9), All("router-solicitation", 10), All("time-exceeded", 11), All("ttl-exceeded", 11),
        One("ttl-zero-during-transit", 11, 0), One("ttl-zero-during-reassembly", 11, 1), All("parameter-problem", 12),
        One("ip-header-bad", 12, 0), One("required-option-missing", 12, 1), All("timestamp-request", 13), All("timestamp-reply", 14),
        All("address-mask-request", 17), All("address-mask-reply", 18),
    ];

    /// <summary>ICMPv6's names (RFC 4443, RFC 4861).</summary>
    public static ImmutableArray<(string Name, IcmpTypeCode Value)> IPv6 { get; } =
    [
        All("destination-unreachable", 1), One("no-route", 1, 0), One("communication-prohibited", 1, 1), One("beyond-scope", 1, 2),
        One("address-unreachable", 1, 3), One("port-unreachable", 1, 4), One("failed-policy", 1, 5), One("reject-route", 1, 6),
        All("packet-too-big", 2), All("time-exceeded", 3), All("ttl-exceeded", 3), One("ttl-zero-during-transit", 3, 0),
        One("ttl-zero-during-reassembly", 3, 1), All("parameter-problem", 4), One("bad-header", 4, 0), One("unknown-header-type", 4, 1),
        One("unknown-option", 4, 2), All("echo-request", 128), All("ping", 128), All("echo-reply", 129), All("pong", 129),
        All("router-solicitation", 133), All("router-advertisement", 134), All("neighbour-solicitation", 135),
        All("neighbor-solicitation", 135), All("neighbour-advertisement", 136), All("neighbor-advertisement", 136), All("redirect", 137),
    ];

    /// <summary>Reads a name, its beginning where that is enough, or <c>type[/code[:code]]</c>.</summary>
    public static IcmpTypeCode Read(ExtensionOptions options, Token word, ImmutableArray<(string Name, IcmpTypeCode Value)> names)
    {
        var found = names.Where(n => n.Name.StartsWith(word.Text, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (found.Length == 1) return found[0].Value;
        if (found.Length > 1)
        {
            options.Error(word, $"{options.Name}: \"{word}\" could be any of {string.Join(", ", found.Select(n => n.Name))}", "write more of it");
            return default;
        }
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        var type = slash < 0 ? word.Text : word.Text[..slash];
        if (ExtensionOptions.TryNumber(type, out var number) && number <= byte.MaxValue)
        {
            if (slash < 0) return new((byte)number, 0, byte.MaxValue);
            var codes = word.Part(slash + 1, word.Text.Length - slash - 1);
            var colon = codes.Text.IndexOf(':', StringComparison.Ordinal);
            var low = options.Number(colon < 0 ? codes : codes.Part(0, colon), 0, byte.MaxValue);
            var high = colon < 0 ? low : options.Number(codes.Part(colon + 1, codes.Text.Length - colon - 1), 0, byte.MaxValue);
            return new((byte)number, (byte)low, (byte)high);
        }
        options.Error(word, $"{options.Name}: \"{word}\" is not a type",
            Nearest.Hint(word.Text, names.Select(n => n.Name)) ?? "write its name, or TYPE or TYPE/CODE in numbers from 0 to 255");
        return default;
    }

    private static (string, IcmpTypeCode) All(string name, byte type) => (name, new(type, 0, byte.MaxValue));

    private static (string, IcmpTypeCode) One(string name, byte type, byte code) => (name, new(type, code, code));
}
