using System.Text;

namespace FwCluster.Rules.Tests.Generation;

/// <summary>Writes random rulesets that iptables takes: restore text over the supported language, in the notations that people use.</summary>
/// <param name="draw">Chance.</param>
public sealed class RulesetGenerator(Draw draw)
{
    private static readonly Dictionary<string, string[]> BuiltIn = new()
    {
        ["raw"] = ["PREROUTING", "OUTPUT"],
        ["mangle"] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
        ["filter"] = ["INPUT", "FORWARD", "OUTPUT"],
    };

    /// <summary>Options that the differential test leaves out: targets and matches whose effect it does not look at, by key.</summary>
    public HashSet<string> Without { get; init; } = [];

    /// <summary>A whole file.</summary>
    /// <param name="rules">Commands a table.</param>
    /// <param name="tables">Which tables, in this order.</param>
    public string Text(int rules, params string[] tables)
    {
        var text = new StringBuilder();
        foreach (var table in tables) Table(text, table, rules);
        return text.ToString();
    }

    /// <summary>One rule's words behind <c>-A CHAIN</c>.</summary>
    /// <param name="table">The table.</param>
    /// <param name="chain">The chain; a user chain may be reached from anywhere.</param>
    /// <param name="jumps">User chains that a rule may lead to.</param>
    public string Rule(string table, string chain, IReadOnlyList<string> jumps)
    {
        var protocol = draw.Pick("", "", "tcp", "tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "udplite", "gre", "6", "250", "all");
        if (protocol == "icmp" && !draw.IsIPv4) protocol = "icmpv6";
        if (protocol == "icmpv6" && draw.IsIPv4) protocol = "icmp";
        var words = new List<string>();
        Base(words, chain);
        var isInverted = protocol is not ("" or "all") && draw.Rarely(6);
        if (protocol.Length > 0) words.Add($"{(isInverted ? "! " : "")}{draw.Pick("-p ", "--protocol ", "--proto ")}{(draw.Rarely() ? protocol.ToUpperInvariant() : protocol)}");
        draw.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        var matches = new List<string>();
        if (!isInverted && MatchWords.OfProtocol.TryGetValue(protocol == "6" ? "tcp" : protocol, out var own) && !draw.Rarely(3))
            matches.Add(draw.Pick<Func<Draw, string>>(own)(draw));
        var any = MatchWords.Any.Where(m => !Without.Contains(m.Key)).ToArray();
        for (var n = draw.Random.Next(3); n > 0; n--) matches.Add(draw.Pick(any).Value(draw));
        words.AddRange(matches);
        // A target that needs a protocol stands behind it; -j may stand anywhere else.
        words.Insert(draw.Rarely() ? 0 : words.Count, Target(table, jumps, protocol is "tcp" or "6" && !isInverted));
        return string.Join(' ', words.Where(w => w.Length > 0));
    }

    private void Table(StringBuilder text, string table, int rules)
    {
        var builtIn = BuiltIn[table];
        var user = new List<string>();
        for (var n = draw.Random.Next(5); n > 0; n--) user.Add(draw.Pick("", "z", "A_") + draw.Pick("in-web", "log.it", "x", "Chain") + n);
        text.Append('*').Append(table).Append('\n');
        foreach (var chain in builtIn.Where(_ => !draw.Rarely(3)))
            text.Append($":{chain} {draw.Pick("ACCEPT", "DROP")} {Counters()}\n");
        foreach (var chain in user) text.Append($":{chain} - [0:0]\n");
        for (var n = 0; n < rules; n++)
        {
            // A user chain leads only to those behind it, so that no circle is made.
            var isUser = user.Count > 0 && draw.Rarely(3);
            var index = isUser ? draw.Random.Next(user.Count) : -1;
            var chain = isUser ? user[index] : draw.Pick(builtIn);
            if (draw.Rarely(3)) text.Append(Counters()).Append(' ');
            text.Append($"{draw.Pick("-A", "-A", "-A", "-A", "--append", "-I")} {chain} {Rule(table, chain, user[(index + 1)..])}\n");
        }
        text.Append("COMMIT\n");
    }

    private void Base(List<string> words, string chain)
    {
        var (isMultiple, isInverted) = (draw.Rarely(8), draw.Rarely(4));
        if (draw.Rarely(2)) words.Add(isMultiple ? $"-s {draw.Network()},{draw.Network()}" : $"{(isInverted ? "! " : "")}{draw.Pick("-s", "--source", "--src")} {Given(isInverted)}");
        if (draw.Rarely(2)) words.Add(isMultiple ? $"-d {draw.Network()}" : $"{draw.Not()}{draw.Pick("-d", "--destination", "--dst")} {Given(true)}");
        if (chain is not ("OUTPUT" or "POSTROUTING") && draw.Rarely(3)) words.Add($"{draw.Not()}{draw.Pick("-i", "--in-interface")} {draw.Interface()}");
        if (chain is not ("INPUT" or "PREROUTING") && draw.Rarely(3)) words.Add($"{draw.Not()}{draw.Pick("-o", "--out-interface")} {draw.Interface()}");
        if (draw.IsIPv4 && draw.Rarely(8)) words.Add($"{draw.Not()}{draw.Pick("-f", "--fragments")}");
    }

    // "! -s 0.0.0.0/0" matches nothing, and nftables refuses it.
    private string Given(bool isInverted)
    {
        string network;
        do network = draw.Network();
        while (isInverted && network.EndsWith("/0", StringComparison.Ordinal));
        return network;
    }

    private string Target(string table, IReadOnlyList<string> jumps, bool isTcp)
    {
        if (jumps.Count > 0 && draw.Rarely(4)) return $"{draw.Pick("-j", "--jump", "-g", "--goto")} {jumps[draw.Random.Next(jumps.Count)]}";
        if (table == "filter" && isTcp && draw.Rarely(6)) return "-j REJECT --reject-with tcp-reset";
        if (table == "raw" && isTcp && draw.Rarely(6)) return "-j CT --helper ftp";
        if (draw.Rarely(3)) return draw.Pick<Func<Draw, string>>(TargetWords.OfTable[table])(draw);
        return draw.Pick(TargetWords.Any.Where(t => !Without.Contains(t.Key)).ToArray()).Value(draw);
    }

    private string Counters() => $"[{draw.Number(0, 10_000_000_000)}:{draw.Number(0, 1_000_000_000_000)}]";
}
