using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>A chain of ours, the built-in chain that jumps to it, and its rules as iptables-restore reads them.</summary>
internal sealed record DivertChain(string Table, string BuiltIn, IReadOnlyList<string> Rules)
{
    /// <summary>What the names of all our chains begin with.</summary>
    public const string Prefix = "FWCLUSTER-";

    /// <summary>An empty chain that is in a table which was not there before us, so that whoever removes our rules removes the table.</summary>
    public const string MadeTable = Prefix + "MADE-TABLE";

    /// <summary>Every table that any settings put rules into.</summary>
    public static IReadOnlyList<string> Tables { get; } = ["security", "mangle", "raw"];

    /// <summary>Answers of neighbours, and where routers are (RFC 4861): without them nothing that is exempt would arrive over IPv6.</summary>
    private static readonly int[] NeighbourDiscovery = [133, 134, 135, 136];

    /// <summary>The chain's name.</summary>
    public string Name => Prefix + BuiltIn;

    /// <summary>The jump to it.</summary>
    public string Jump => $"-j {Name}";

    /// <summary>The chains that the settings ask for, of one family.</summary>
    public static IReadOnlyList<DivertChain> For(DivertSettings settings, IpFamily family)
    {
        var table = settings.Table == DivertTable.Mangle ? "mangle" : "security";
        List<DivertChain> chains =
        [
            new(table, "INPUT", Input(settings, family)),
            new(table, "FORWARD", [Divert(settings, settings.FailOpen)]),
            new(table, "OUTPUT", Output(settings, family)),
        ];
        if (!settings.NoTrack) return chains;
        chains.Add(new DivertChain("raw", "PREROUTING", ["-j CT --notrack"]));
        chains.Add(new DivertChain("raw", "OUTPUT", ["-j CT --notrack"]));
        return chains;
    }

    private static List<string> Input(DivertSettings settings, IpFamily family)
    {
        // What comes in over the loopback interface went out over it, and was decided there for both ways.
        List<string> rules = ["-i lo -j RETURN"];
        foreach (var exempt in settings.ExemptPorts)
        {
            var protocol = Protocol(exempt);
            rules.Add($"-p {protocol} -m {protocol} --dport {exempt.Port} -j RETURN");
            if (exempt.Protocol == IpProtocol.Tcp) rules.Add($"-p tcp -m tcp --sport {exempt.Port} ! --syn -j RETURN");
        }
        foreach (var port in settings.ExemptEstablished) rules.Add($"-p tcp -m tcp --dport {port} --tcp-flags SYN,ACK ACK -j RETURN");
        AddNeighbourDiscovery(settings, family, rules);
        rules.Add(Divert(settings, settings.FailOpen));
        // No packet comes this far. That the match is there is enough: it has the kernel put fragments together before all hooks
        // (socket_mt_enable_defrag in net/netfilter/xt_socket.c).
        if (settings.Reassemble) rules.Add("-m socket -j RETURN");
        return rules;
    }

    private static List<string> Output(DivertSettings settings, IpFamily family)
    {
        List<string> rules = [];
        if (settings.AnswerMark != 0) rules.Add(string.Create(CultureInfo.InvariantCulture, $"-m mark --mark 0x{settings.AnswerMark:x} -j RETURN"));
        foreach (var exempt in settings.ExemptPorts)
        {
            if (exempt.Protocol == IpProtocol.Tcp)
            {
                rules.Add($"-p tcp -m tcp --sport {exempt.Port} ! --syn -j RETURN");
                rules.Add($"-p tcp -m tcp --dport {exempt.Port} -j RETURN");
            }
            else
            {
                rules.Add($"-p udp -m udp --sport {exempt.Port} -j RETURN");
            }
        }
        foreach (var port in settings.ExemptEstablished) rules.Add($"-p tcp -m tcp --sport {port} --tcp-flags SYN,ACK ACK -j RETURN");
        AddNeighbourDiscovery(settings, family, rules);
        rules.Add(Divert(settings, settings.FailOpen));
        return rules;
    }

    /// <summary>Diverted as all else, so that rules see and count it; but it passes while nobody listens, where anything is exempt.</summary>
    private static void AddNeighbourDiscovery(DivertSettings settings, IpFamily family, List<string> rules)
    {
        if (family != IpFamily.IPv6 || settings.FailOpen || settings.ExemptPorts.Count + settings.ExemptEstablished.Count == 0) return;
        foreach (var type in NeighbourDiscovery) rules.Add($"-p ipv6-icmp -m icmp6 --icmpv6-type {type} {Divert(settings, failOpen: true)}");
    }

    private static string Divert(DivertSettings settings, bool failOpen)
    {
        var queues = settings.QueueCount == 1
            ? string.Create(CultureInfo.InvariantCulture, $"--queue-num {settings.FirstQueue}")
            : string.Create(CultureInfo.InvariantCulture, $"--queue-balance {settings.FirstQueue}:{settings.FirstQueue + settings.QueueCount - 1}");
        return $"-j NFQUEUE {queues}{(failOpen ? " --queue-bypass" : "")}";
    }

    private static string Protocol(ExemptPort exempt) => exempt.Protocol == IpProtocol.Tcp ? "tcp" : "udp";
}
