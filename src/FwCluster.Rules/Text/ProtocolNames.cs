using System.Collections.Frozen;
using System.Globalization;

namespace FwCluster.Rules.Text;

/// <summary>Names of protocols for <c>-p</c>: those that iptables itself knows, then Debian's <c>/etc/protocols</c>. Built in and not read
/// from the host: every node must write a ruleset the same way.</summary>
public static class ProtocolNames
{
    // xtables_chain_protos first: the first name of a number is the one that is written.
    private static readonly (string Name, byte Number)[] Table =
    [
        ("tcp", 6), ("sctp", 132), ("udp", 17), ("udplite", 136), ("icmp", 1), ("ipv6-icmp", 58), ("icmpv6", 58), ("esp", 50), ("ah", 51),
        ("mobility-header", 135), ("ipv6-mh", 135), ("mh", 135), ("all", 0),
        ("ip", 0), ("hopopt", 0), ("igmp", 2), ("ggp", 3), ("ipencap", 4), ("st", 5), ("egp", 8), ("igp", 9), ("pup", 12), ("hmp", 20),
        ("xns-idp", 22), ("rdp", 27), ("iso-tp4", 29), ("dccp", 33), ("xtp", 36), ("ddp", 37), ("idpr-cmtp", 38), ("ipv6", 41),
        ("ipv6-route", 43), ("ipv6-frag", 44), ("idrp", 45), ("rsvp", 46), ("gre", 47), ("skip", 57), ("ipv6-nonxt", 59),
        ("ipv6-opts", 60), ("rspf", 73), ("vmtp", 81), ("eigrp", 88), ("ospf", 89), ("ax.25", 93), ("ipip", 94), ("etherip", 97),
        ("encap", 98), ("pim", 103), ("ipcomp", 108), ("vrrp", 112), ("l2tp", 115), ("isis", 124), ("fc", 133), ("mpls-in-ip", 137),
        ("manet", 138), ("hip", 139), ("shim6", 140), ("wesp", 141), ("rohc", 142), ("ethernet", 143),
    ];

    private static readonly FrozenDictionary<string, byte> ByName = Table.ToFrozenDictionary(p => p.Name, p => p.Number);
    private static readonly FrozenDictionary<byte, string> ByNumber =
        Table.DistinctBy(p => p.Number).ToFrozenDictionary(p => p.Number, p => p.Name);

    /// <summary>Every name.</summary>
    public static IEnumerable<string> All => Table.Select(p => p.Name);

    /// <summary>Reads a protocol by name or number (<c>xtables_parse_protocol</c>); names are lower case.</summary>
    public static bool TryParse(string text, out byte protocol)
    {
        if (ByName.TryGetValue(text, out protocol)) return true;
        if (!ExtensionOptions.TryNumber(text, out var number) || number > byte.MaxValue) return false;
        protocol = (byte)number;
        return true;
    }

    /// <summary>The name that <c>iptables-save</c> writes, or the number where there is none.</summary>
    public static string Name(byte protocol)
        => ByNumber.TryGetValue(protocol, out var name) ? name : protocol.ToString(CultureInfo.InvariantCulture);

    /// <summary>Reads a protocol and reports what is none.</summary>
    public static byte Read(IErrorSink errors, Token word)
    {
        var name = word.Text.ToLowerInvariant();
        if (TryParse(name, out var protocol)) return protocol;
        errors.Error(word, $"\"{word}\" is not a protocol", Nearest.Hint(name, All) ?? "write its name, or its number from 0 to 255");
        return 0;
    }
}
