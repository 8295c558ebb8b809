namespace FwCluster.Rules.Tests.Generation;

/// <summary>Writes <c>-j NAME ...</c> as people might. One entry a target: a new target adds its own.</summary>
public static class TargetWords
{
    /// <summary>Targets of every table.</summary>
    public static readonly Dictionary<string, Func<Draw, string>> Any = new()
    {
        ["ACCEPT"] = _ => "-j ACCEPT",
        ["CONNMARK"] = Connmark,
        ["DROP"] = _ => "-j DROP",
        ["LOG"] = Log,
        ["MARK"] = d => $"-j MARK {d.Pick("--set-mark", "--set-xmark")} {d.Mark()}",
        ["MARK bits"] = d => $"-j MARK {d.Pick("--and-mark", "--or-mark", "--xor-mark")} {d.Written(d.Number(0, uint.MaxValue))}",
        ["NFLOG"] = Nflog,
        ["RETURN"] = _ => "-j RETURN",
        ["none"] = _ => "",
    };

    /// <summary>Targets of one table, by the table's name.</summary>
    public static readonly Dictionary<string, Func<Draw, string>[]> OfTable = new()
    {
        ["filter"] = [Reject],
        ["mangle"] = [Tos, d => $"-j DSCP --set-dscp {d.Written(d.Number(0, 63))}", d => $"-j DSCP --set-dscp-class {d.Pick("EF", "be", "CS3", "AF42")}"],
        ["raw"] = [Ct, _ => "-j NOTRACK"],
    };

    private static string Reject(Draw d) => d.Rarely() ? "-j REJECT" : "-j REJECT --reject-with " + (d.IsIPv4
        ? d.Pick("icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable", "icmp-net-prohibited",
            "icmp-host-prohibited", "icmp-admin-prohibited", "host-unreach", "ADMIN", "icmp-")
        : d.Pick("icmp6-no-route", "no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "port-unreach", "icmp6-policy-fail",
            "icmp6-reject-route", "i"));

    private static string Connmark(Draw d) => "-j CONNMARK " + d.Random.Next(5) switch
    {
        0 => $"{d.Pick("--set-mark", "--set-xmark")} {d.Mark()}",
        1 => $"{d.Pick("--and-mark", "--or-mark", "--xor-mark")} {d.Written(d.Number(0, uint.MaxValue))}",
        2 => $"{d.Pick("--save-mark", "--restore-mark")}",
        3 => $"{d.Pick("--save-mark", "--restore-mark")} --mask {d.Written(d.Number(0, uint.MaxValue))}",
        _ => $"--nfmask {d.Number(0, 255)} {d.Pick("--save-mark", "--restore-mark")} --ctmask {d.Written(d.Number(0, 255))}"
            + (d.Rarely(2) ? $" {d.Pick("--left-shift-mark", "--right-shift-mark")} {d.Number(0, 31)}" : ""),
    };

    private static string Log(Draw d)
    {
        var words = new List<string>();
        if (d.Rarely(2)) words.Add($"--log-prefix {d.Text(29)}");
        if (d.Rarely(2)) words.Add($"--log-level {d.Pick("0", "4", "7", "info", "error", "panic", "debug")}");
        foreach (var flag in (string[])["--log-tcp-sequence", "--log-tcp-options", "--log-ip-options", "--log-uid", "--log-macdecode"])
        {
            if (d.Rarely(4)) words.Add(flag);
        }
        d.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(words));
        return "-j LOG " + string.Join(' ', words);
    }

    private static string Nflog(Draw d)
        => "-j NFLOG" + (d.Rarely(2) ? $" --nflog-group {d.Number(0, 65535)}" : "") + (d.Rarely(2) ? $" --nflog-prefix {d.Text(63)}" : "")
            + (d.Rarely(3) ? $" --nflog-size {d.Number(0, 2000)}" : "") + (d.Rarely(3) ? $" --nflog-threshold {d.Number(0, 100)}" : "");

    private static string Tos(Draw d) => "-j TOS " + d.Random.Next(3) switch
    {
        0 => $"--set-tos {d.Written(d.Number(0, 255))}{(d.Rarely(2) ? $"/{d.Written(d.Number(0, 255))}" : "")}",
        1 => $"--set-tos {d.Pick("Minimize-Delay", "Normal-Service", "maximize-throughput", "Minimize-Cost", "Maximize-Reliability")}",
        _ => $"{d.Pick("--and-tos", "--or-tos", "--xor-tos")} {d.Written(d.Number(0, 255))}",
    };

    private static string Ct(Draw d) => "-j CT " + d.Pick("--notrack", "--zone 5", "--zone-orig 77", "--zone-reply 0x4d", "--zone mark", "", "--zone 0");
}
