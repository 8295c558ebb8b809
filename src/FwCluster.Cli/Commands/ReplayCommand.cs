using System.Collections.Immutable;
using System.CommandLine;
using FwCluster.Cli.Replay;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl replay</c>: its words.</summary>
internal static class ReplayCommand
{
    private const string AllTables = "all";

    private const string Sections = """
        Output:
          Without --packets, --connections or --expectations: every chain as iptables -L -v -n -x prints it.
          --packets prints five fields with tabs between: number, state (NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED or -),
          verdict (ACCEPT, DROP, REJECT or -), chain (mangle:PREROUTING and so on where it is not of the filter table), and the
          rule's position in the chain or "policy". A dash: what was not asked, as for a frame that is not IP or a fragment that
          waits for the rest of its packet.
          --json prints a JSON object a line: packets first, then chains, connections or expectations as asked for.

        Examples:
          fwctl replay exercise.pcapng --rules exercise.rules --local 10.211.55.20
              What would the seven rules have counted on the host 10.211.55.20?
          fwctl replay gateway.pcap --rules rules.v4 --rules6 rules.v6 --packets | awk -F'\t' '$2 == "INVALID"'
              Which packets were INVALID on a gateway?
          tcpdump -i eth0 -w - | fwctl replay - --rules rules.v4 --local 192.0.2.1
              From a pipe; Ctrl-C ends it and prints what was counted.
          fwctl replay in.pcapng --rules rules.v4 --annotate out.pcapng && wireshark out.pcapng
              See each packet's state, verdict and rule as its comment in Wireshark.
          fwctl replay in.pcapng --connections --sysctl nf_conntrack_udp_timeout=10
              What conntrack -L would list after the last packet, with another timeout.

        Exit codes:
          0   all is well
          1   the command line or a rule file is wrong, or a file cannot be read or written
          2   the capture cannot be read, or breaks off: what comes before the break was replayed and printed
          130 stopped by Ctrl-C: what was read was replayed and printed

        """;

    public static Command Create()
    {
        var capture = new Argument<string>("CAPTURE") { Description = "A pcap or pcapng file, or a named pipe; - for the standard input." };
        var rules = Text("--rules", "FILE", "The IPv4 rules: text of iptables-save, or iptables command lines (then of both families).");
        var rules6 = Text("--rules6", "FILE", "The IPv6 rules: text of ip6tables-save, or ip6tables command lines.");
        var sets = Text("--sets", "FILE", "The sets that -m set of a rule names: text of ipset save.");
        var counters = Flag("--counters", "Go on from the counters in the rule files, as iptables-restore -c; else all begin at 0.");
        var local = new Option<string[]>("--local")
        {
            HelpName = "ADDR[/LEN]",
            Description = "An address of the host whose rules these are (repeat it for each). Packets to it meet INPUT, packets from it "
                + "OUTPUT, others FORWARD; without any, all meet FORWARD. LEN is its network's prefix length, for broadcasts.",
        };
        var inInterface = Text("--in-interface", "NAME", "The interface that -i of a rule sees for packets that come in.");
        var outInterface = Text("--out-interface", "NAME", "The interface that -o of a rule sees for packets that go out.");
        var helpers = new Option<string>("--helpers")
        {
            HelpName = "LIST",
            Description = "Helpers that attach to their usual ports by themselves: ftp, tftp, ftp=21,2121 and so on, or none. Rules "
                + "(-j CT --helper) attach them in any case.",
            DefaultValueFactory = _ => "ftp,tftp",
        };
        helpers.CompletionSources.Add("ftp", "tftp", "ftp,tftp", "none");
        var table = new Option<string>("--table", "-t")
        {
            HelpName = "TABLE",
            Description = "The table whose chains are printed: filter, mangle, raw, or all.",
            DefaultValueFactory = _ => TableId.Filter.Name(),
        };
        table.AcceptOnlyFromAmong("raw", "mangle", "filter", AllTables);
        var packets = Flag("--packets", "Print a line a packet instead of the chains.");
        var connections = Flag("--connections", "Print the connections that are left, as conntrack -L, instead of the chains.");
        var expectations = Flag("--expectations", "Print the expectations that are left, as conntrack -L expect, instead of the chains.");
        var json = Flag("--json", "Print JSON.");
        var annotate = Text("--annotate", "OUT.pcapng", "Write the capture back with state, verdict, chain and rule as each packet's comment.");
        var checksums = Flag("--verify-checksums",
            "Packets with a wrong TCP, UDP or ICMP checksum are INVALID (in a capture made on the sending host all may be wrong).");
        var noLoose = Flag("--no-loose", "Do not pick up TCP connections whose beginning is not in the capture.");
        var liberal = Flag("--be-liberal", "Do not check TCP sequence numbers, but for RST.");
        var maxEntries = new Option<int?>("--max-entries") { HelpName = "N", Description = "Connections the table may hold [262144]." };
        var sysctl = new Option<string[]>("--sysctl")
        {
            HelpName = "NAME=VALUE",
            Description = "A setting of tracking by the kernel's name, such as nf_conntrack_udp_timeout=10 (repeat it for each).",
        };
        sysctl.CompletionSources.Add(_ => ConntrackSysctl.Names.Select(n => new System.CommandLine.Completions.CompletionItem(n + "=")));

        var command = new Command("replay", "Runs rules over a capture and prints what iptables would have counted.")
        {
            capture, rules, rules6, sets, counters, local, inInterface, outInterface, helpers, table, packets, connections, expectations, json,
            annotate, checksums, noLoose, liberal, maxEntries, sysctl,
        };
        HelpWithExamples.Describe(command, Sections);
        command.SetAction(parsed =>
        {
            var list = parsed.GetValue(helpers)!;
            if (!ConnectionHelpers.TryCreate(list, out var chosen, out var error)) throw new FwctlException($"--helpers {list}: {error}");
            var settings = ConntrackSettings.Default with
            {
                VerifyChecksums = parsed.GetValue(checksums),
                TcpLoose = !parsed.GetValue(noLoose),
                TcpBeLiberal = parsed.GetValue(liberal),
            };
            if (parsed.GetValue(maxEntries) is { } limit) settings = settings with { MaxEntries = MaxEntries(limit) };
            foreach (var assignment in parsed.GetValue(sysctl) ?? [])
            {
                if (ConntrackSysctl.Apply(assignment, ref settings) is { } wrong) throw new FwctlException($"--sysctl: {wrong}");
            }
            var options = new ReplayOptions
            {
                Capture = parsed.GetRequiredValue(capture),
                Rules = parsed.GetValue(rules),
                Rules6 = parsed.GetValue(rules6),
                Sets = parsed.GetValue(sets),
                KeepCounters = parsed.GetValue(counters),
                Local = [.. (parsed.GetValue(local) ?? []).Select(Address)],
                InInterface = Interface("--in-interface", parsed.GetValue(inInterface)),
                OutInterface = Interface("--out-interface", parsed.GetValue(outInterface)),
                Helpers = ConnectionHelpers.AndTheRestForRules(chosen),
                Settings = settings,
                Tables = Tables(parsed.GetValue(table)!),
                Packets = parsed.GetValue(packets),
                Connections = parsed.GetValue(connections),
                Expectations = parsed.GetValue(expectations),
                Json = parsed.GetValue(json),
                Annotate = parsed.GetValue(annotate),
            };
            return ReplayRun.Run(options, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        });
        return command;
    }

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    private static Option<string?> Text(string name, string helpName, string description)
        => new(name) { HelpName = helpName, Description = description };

    private static HostAddress Address(string text)
        => HostAddress.TryParse(text, out var address, out var error) ? address : throw new FwctlException($"--local {text}: {error}");

    private static InterfaceName Interface(string option, string? name)
    {
        if (name is null) return default;
        return System.Text.Encoding.UTF8.GetByteCount(name) <= InterfaceName.MaxLength
            ? InterfaceName.From(name)
            : throw new FwctlException($"{option} {name}: an interface's name has at most {InterfaceName.MaxLength} bytes");
    }

    private static int MaxEntries(int limit)
        => limit is >= 1 and <= 1 << 28 ? limit : throw new FwctlException($"--max-entries {limit}: a number from 1 to {1 << 28} is right");

    private static ImmutableArray<TableId> Tables(string name)
    {
        if (name == AllTables) return [TableId.Raw, TableId.Mangle, TableId.Filter];
        return TableIdExtensions.TryParse(name, out var table) ? [table] : throw new FwctlException($"--table {name}: there is no such table");
    }
}
