using System.Globalization;

namespace FwCluster.Rules.Tests.Generation;

/// <summary>Writes <c>-m NAME ...</c> as people might. One entry an extension: a new extension adds its own.</summary>
public static class MatchWords
{
    /// <summary>Matches that fit every rule.</summary>
    public static readonly Dictionary<string, Func<Draw, string>> Any = new()
    {
        ["comment"] = d => $"-m comment --comment {d.Text(40)}",
        ["connmark"] = d => $"-m connmark {d.Not()}--mark {d.Mark()}",
        ["conntrack"] = Conntrack,
        ["helper"] = d => $"-m helper {d.Not()}--helper {d.Pick("ftp", "tftp", "ftp-2121", "\"\"")}",
        ["iprange"] = d => $"-m iprange {d.Pick("--src-range", "--dst-range")} {d.Address()}-{d.Address()}",
        ["iprange both"] = d => $"-m iprange {d.Not()}--dst-range {d.Address()}-{d.Address()} {d.Not()}--src-range {d.Address()}",
        ["mark"] = d => $"-m mark {d.Not()}--mark {d.Mark()}",
        ["state"] = d => $"-m state {d.Not()}{d.Pick("--state ", "--state=", "--sta ")}{d.Some("NEW", "ESTABLISHED", "related", "INVALID", "UNTRACKED", "E")}",
    };

    /// <summary>Matches that need a protocol, by the protocol's name.</summary>
    public static readonly Dictionary<string, Func<Draw, string>[]> OfProtocol = new()
    {
        ["tcp"] = [Tcp, Multiport],
        ["udp"] = [Udp, Multiport],
        ["sctp"] = [d => d.Pick("-m sctp ", "") + $"{d.Not()}--sport {d.Number(1, 65535)}:", d => $"{d.Not()}--dport {d.Port()}", Multiport],
        ["dccp"] = [d => d.Pick("-m dccp ", "") + $"{d.Not()}--dport :{d.Number(0, 65534)}", d => $"{d.Not()}--sport {d.Port()}", Multiport],
        ["udplite"] = [Multiport],
        ["icmp"] = [d => "-m icmp " + Icmp(d), Icmp],
        ["icmpv6"] = [d => $"-m {d.Pick("icmp6", "icmpv6", "ipv6-icmp")} {Icmp6(d)}", Icmp6],
    };

    private static string Tcp(Draw d)
    {
        // iptables makes "! --sport 5 ! --dport 6" of nftables into "not both": one of the two is turned round at most.
        var words = new List<string>();
        var not = d.Not();
        if (d.Rarely(2)) words.Add($"{not}{d.Pick("--sport", "--source-port", "--sp")} {d.PortRange()}");
        if (d.Rarely(2)) words.Add($"{(not.Length > 0 ? "" : d.Not())}{d.Pick("--dport ", "--destination-port ", "--dport=")}{d.PortRange()}");
        if (d.Rarely(3)) words.Add($"{d.Not()}--syn");
        else if (d.Rarely(3)) words.Add($"{d.Not()}--tcp-flags {d.Some("SYN", "ACK", "fin", "RST", "URG", "PSH", "ALL")} {Flags(d)}");
        if (d.Rarely()) words.Add($"{d.Not()}--tcp-option {d.Number(1, 255)}");
        d.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        var options = string.Join(' ', words);
        return words.Count == 0 || d.Rarely(2) ? $"-m tcp {options}" : options;
    }

    private static string Flags(Draw d) => d.Rarely() ? d.Pick("ALL", "NONE") : d.Some("SYN", "ACK", "fin", "RST", "URG", "PSH");

    private static string Udp(Draw d)
    {
        var not = d.Not();
        var options = $"{not}--sport {Ports(d)} {(d.Rarely(2) ? $"{(not.Length > 0 ? "" : d.Not())}{d.Pick("--dport", "--destination-port")} {Ports(d)}" : "")}";
        return d.Rarely(2) ? "-m udp " + options : options;
    }

    private static string Multiport(Draw d)
    {
        var ports = Enumerable.Range(0, d.Random.Next(1, 8)).Select(_ => d.Rarely(3) ? Range(d) : d.Port().ToString(CultureInfo.InvariantCulture));
        return $"-m multiport {d.Not()}{d.Pick("--sports", "--source-ports", "--dports", "--destination-ports", "--ports")} {string.Join(',', ports)}";
    }

    private static string Range(Draw d)
    {
        var low = d.Number(0, 65534);
        return $"{low}:{d.Number(low + 1, 65535)}";
    }

    private static string Icmp(Draw d) => $"{d.Not()}--icmp-type {d.Pick("any", "8", "3/1", "echo-request", "ping", "host-unr", "network-redirect", "0", "255", "11/0x1", "TTL-EXCEEDED")}";

    private static string Icmp6(Draw d) => $"{d.Not()}--icmpv6-type {d.Pick("128", "1/4", "echo-request", "ping", "packet-too-big", "neighbour-sol", "bad", "137", "255", "redirect")}";

    private static string Conntrack(Draw d)
    {
        var words = new List<string>();
        if (d.Rarely(2)) words.Add($"{d.Not()}--ctstate {d.Some("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "dnat")}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctproto {d.Pick("tcp", "17", "icmp", "47", "132")}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctorigsrc {d.Prefix()}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctorigdst {d.Prefix()}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctreplsrc {d.Prefix()}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctrepldst {d.Prefix()}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctorigsrcport {Ports(d)}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctorigdstport {Ports(d)}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctreplsrcport {Ports(d)}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctrepldstport {Ports(d)}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctstatus {d.Some("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "conf")}");
        if (d.Rarely(4)) words.Add($"{d.Not()}--ctexpire {d.Pick("5", "1:30", "100:", ":100", "432000", "9:3")}");
        if (d.Rarely(4)) words.Add($"--ctdir {d.Pick("ORIGINAL", "REPLY", "reply")}");
        if (words.Count == 0) words.Add("--ctstate NEW");
        d.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        return "-m conntrack " + string.Join(' ', words);
    }

    // getaddrinfo reads these, and knows no hexadecimal.
    private static string Ports(Draw d)
    {
        var (a, b) = (d.Port(), d.Port());
        return d.Random.Next(6) switch
        {
            0 => $"{Math.Max(a, 1)}:",
            1 => $":{Math.Min(b, 65534)}",
            2 => d.Pick("ftp", "domain", "080", "ssh"),
            _ => d.Rarely(2) || (Math.Min(a, b), Math.Max(a, b)) == (0, 65535) ? $"{a}" : $"{Math.Min(a, b)}:{Math.Max(a, b)}",
        };
    }
}
