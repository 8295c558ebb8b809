using System.Globalization;

namespace FwCluster.Rules.Tests.Generation;

/// <summary>Writes <c>-m NAME ...</c> as people might. One entry an extension: a new extension adds its own.</summary>
public static class MatchWords
{
    /// <summary>Matches that fit every rule.</summary>
    public static readonly Dictionary<string, Func<Draw, string>> Any = new()
    {
        ["addrtype"] = AddressType,
        ["connlimit"] = ConnLimit,
        ["dscp"] = d => $"-m dscp {d.Not()}{d.Pick($"--dscp {d.Written(d.Number(0, 63))}", $"--dscp-class {d.Pick("ef", "CS1", "AF41", "be")}")}",
        ["hashlimit"] = HashLimit,
        ["hop limit"] = HopLimit,
        ["length"] = d => $"-m length {d.Not()}--length {d.Pick("40", "28:60", "100:", ":0x64", "60:40")}",
        ["limit"] = d => $"-m limit --limit {d.Number(1, 9)}/{d.Pick("hour", "h")} --limit-burst {d.Number(1, 20)}",
        ["nth"] = Nth,
        ["pkttype"] = d => $"-m pkttype {d.Not()}--pkt-type {d.Pick("unicast", "broadcast", "mcast", "HOST", "otherhost")}",
        ["random"] = d => $"-m statistic --mode random {d.Not()}--probability {d.Pick("0", "1", "0.5", "0.333", ".125")}",
        ["recent"] = Recent,
        ["time"] = Time,
        ["tos"] = d => $"-m tos {d.Not()}--tos {d.Pick("Minimize-Delay", "0x10/0x1e", "12", "0", "Normal-Service", "0xff/0x03")}",
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
        ["tcp"] = [Tcp, Multiport, d => $"-m tcpmss {d.Not()}--mss {d.Pick("536", "500:1460", "1400:", ":100")}"],
        ["udp"] = [Udp, Multiport],
        ["sctp"] = [d => d.Pick("-m sctp ", "") + $"{d.Not()}--sport {d.Number(1, 65535)}:", d => $"{d.Not()}--dport {d.Port()}", Multiport],
        ["dccp"] = [d => d.Pick("-m dccp ", "") + $"{d.Not()}--dport :{d.Number(0, 65534)}", d => $"{d.Not()}--sport {d.Port()}", Multiport],
        ["udplite"] = [Multiport],
        ["icmp"] = [d => "-m icmp " + Icmp(d), Icmp],
        ["icmpv6"] = [d => $"-m {d.Pick("icmp6", "icmpv6", "ipv6-icmp")} {Icmp6(d)}", Icmp6],
    };

    private static string HopLimit(Draw d)
    {
        var name = d.IsIPv4 ? "ttl" : "hl";
        return $"-m {name} {d.Pick($"{d.Not()}--{name}-eq", $"--{name}-lt", $"--{name}-gt")} {d.Pick("64", "63", "1", "255", "0x20")}";
    }

    private static string AddressType(Draw d)
    {
        var types = d.IsIPv4 ? ["UNICAST", "local", "BROADCAST", "MULTICAST", "UN"] : (string[])["UNICAST", "local", "MULTICAST", "UNSPEC"];
        return $"-m addrtype {d.Not()}--{d.Pick("src", "dst")}-type {d.Some(types)}";
    }

    private static string Nth(Draw d)
    {
        var every = d.Number(1, 5);
        return $"-m statistic --mode nth {d.Not()}--every {every} --packet {d.Number(0, every - 1)}";
    }

    private static string Time(Draw d)
    {
        var words = new List<string>();
        if (d.Rarely(2)) words.Add($"--timestart {d.Number(0, 23)}:{d.Number(0, 59)}");
        if (d.Rarely(2)) words.Add($"--timestop {d.Number(0, 23)}:{d.Number(0, 59)}:{d.Number(0, 59)}");
        if (d.Rarely(2)) words.Add($"{d.Not()}--weekdays {d.Some("Mon", "Tu", "3", "Thursday", "Fri", "6")}");
        if (d.Rarely(2)) words.Add($"{d.Not()}--monthdays {d.Some("1", "11", "22", "23", "24", "31")}");
        if (d.Rarely(2)) words.Add($"--date{d.Pick("start", "stop")} 20{d.Number(10, 37)}{d.Pick("", "-02", "-11-30", "-12-31T23:59")}");
        return "-m time " + string.Join(' ', words);
    }

    // Rates so low that a bucket does not fill again while a test runs.
    private static string HashLimit(Draw d)
    {
        var words = new List<string> { $"--hashlimit-name h{d.Number(0, 1 << 20)}" };
        words.Add(d.Rarely()
            ? $"{d.Not()}--hashlimit-{d.Pick("upto", "above")} {d.Pick("20b/s", "1kb/s")} --hashlimit-burst {d.Pick("4kb", "9000b")}"
            : $"{d.Not()}--hashlimit-{d.Pick("upto", "above")} {d.Number(1, 9)}/hour --hashlimit-burst {d.Number(1, 9)}");
        if (d.Rarely(2)) words.Add($"--hashlimit-mode {d.Some("srcip", "dstip", "srcport", "dstport")}");
        if (d.Rarely(4)) words.Add($"--hashlimit-srcmask {d.Number(0, d.IsIPv4 ? 32 : 128)}");
        if (d.Rarely(4)) words.Add($"--hashlimit-dstmask {d.Number(0, d.IsIPv4 ? 32 : 128)}");
        if (d.Rarely(6)) words.Add($"--hashlimit-htable-size {d.Number(1, 9)} --hashlimit-htable-max {d.Number(1, 20)}");
        if (d.Rarely(6)) words.Add($"--hashlimit-htable-expire {d.Number(100_000, 1_000_000)}");
        d.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        return "-m hashlimit " + string.Join(' ', words);
    }

    private static string ConnLimit(Draw d)
    {
        var words = new List<string> { $"{d.Not()}--connlimit-{d.Pick("upto", "above")} {d.Number(0, 6)}" };
        if (d.Rarely(2)) words.Add($"--connlimit-mask {d.Number(0, d.IsIPv4 ? 32 : 128)}");
        if (d.Rarely(2)) words.Add($"--connlimit-{d.Pick("saddr", "daddr")}");
        return "-m connlimit " + string.Join(' ', words);
    }

    private static string Recent(Draw d)
    {
        var words = new List<string> { $"--name {d.Pick("a", "b", "DEFAULT")}" };
        if (d.Rarely(2)) words.Add($"{d.Not()}--{d.Pick("set", "remove")}");
        else
        {
            words.Add($"{d.Not()}--{d.Pick("rcheck", "update")}");
            if (d.Rarely(2)) words.Add($"--seconds {d.Number(1000, 9000)}{(d.Rarely() ? " --reap" : "")}");
            if (d.Rarely(2)) words.Add($"--hitcount {d.Number(1, 20)}");
            if (d.Rarely(3)) words.Add("--rttl");
        }
        if (d.Rarely(2)) words.Add("--" + d.Pick("rsource", "rdest"));
        d.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        return "-m recent " + string.Join(' ', words);
    }

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
