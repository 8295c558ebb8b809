using System.Text;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.Differential;

/// <summary>
/// The same rules and packets through the kernel, as a router in a namespace, and through the engine; what differs in their counters. The
/// kernel's side is <c>ipt_do_table</c> and so iptables-legacy.
/// </summary>
internal sealed class RuleComparison : IDisposable
{
    // All chains by name: a policy that a text does not name stays what it was.
    private const string Nothing = """
        *raw
        :PREROUTING ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        COMMIT
        *mangle
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        COMMIT
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        COMMIT

        """;
    private const int EthernetHeader = 14;

    private readonly KernelReferee _kernel = new(new RefereeOptions
    {
        InputInterface = In, OutputInterface = Out, Backend = "-legacy", Rules4 = Nothing, Rules6 = Nothing,
    });

    private ReaderSettings _settings = ReaderSettings.Default;

    /// <summary>Names of the interfaces.</summary>
    public const string In = "eth0";

    /// <inheritdoc cref="In"/>
    public const string Out = "eth1";

    /// <inheritdoc/>
    public void Dispose() => _kernel.Dispose();

    /// <summary>Gives both sides sets, in the text that ipset reads.</summary>
    public void UseSets(string text)
    {
        _kernel.Router.Execute("ipset", ["restore"], text + "\n");
        var read = SetReader.Read(text, "sets");
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));
        _settings = _settings with { Sets = read.Sets! };
    }

    /// <summary>What ipset save prints.</summary>
    public string SaveSets() => _kernel.Router.Execute("ipset", ["save"]);

    /// <summary>Counters that differ; empty where none does.</summary>
    public string Difference(IpFamily family, string rules, IReadOnlyList<byte[]> packets)
    {
        var isV6 = family == IpFamily.IPv6;
        var read = RulesetReader.Read(rules, "rules", family, _settings);
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));

        // Nothing of the last comparison's stays: lists of recent live as long as a rule names them.
        _kernel.RestoreRules(Nothing, isV6);
        _kernel.Flush();
        var restored = _kernel.RestoreRules(rules, isV6);
        Assert.True(restored.ExitCode == 0, restored.Error + rules);
        foreach (var packet in packets) _kernel.Send(packet);
        var theirs = CounterListing.OfKernel(_kernel.SaveRules(isV6));

        var ours = Run(family, read.Of(family)!, packets);
        return string.Concat(theirs.Except(ours).Select(l => $"kernel {l}\n")) + string.Concat(ours.Except(theirs).Select(l => $"engine {l}\n"));
    }

    /// <summary>Leaves packets and rules out for as long as a difference stays.</summary>
    public string Minimize(IpFamily family, string rules, List<byte[]> packets)
    {
        packets = Fewer(packets, p => Difference(family, rules, p).Length > 0);
        var lines = rules.Split('\n');
        var kept = Fewer(Enumerable.Range(0, lines.Length).Where(IsRule).ToList(), k => Difference(family, With(k), packets).Length > 0);
        packets = Fewer(packets, p => Difference(family, With(kept), p).Length > 0);
        var text = new StringBuilder(Difference(family, With(kept), packets)).Append(With(kept));
        foreach (var packet in packets) text.Append(Convert.ToHexStringLower(packet)).Append('\n');
        return text.ToString();

        bool IsRule(int line) => lines[line].StartsWith('-') || lines[line].StartsWith('[');

        string With(List<int> left) => string.Join('\n', lines.Where((_, i) => !IsRule(i) || left.Contains(i)));
    }

    private static List<T> Fewer<T>(List<T> items, Predicate<List<T>> stays)
    {
        for (var size = Math.Max(1, items.Count / 2); ; size = Math.Max(1, size / 2))
        {
            var shrunk = false;
            for (var start = items.Count - size; start > -size; start -= size)
            {
                var from = Math.Max(0, start);
                List<T> rest = [.. items[..from], .. items[Math.Min(items.Count, start + size)..]];
                if (rest.Count == items.Count || !stays(rest)) continue;
                items = rest;
                shrunk = true;
            }
            if (size == 1 && !shrunk) return items;
        }
    }

    private List<string> Run(IpFamily family, Model.Ruleset ruleset, IReadOnlyList<byte[]> packets)
    {
        var active = ActiveRuleset.From(CompiledRuleset.Compile(ruleset), fromText: true);
        var other = ActiveRuleset.From(CompiledRuleset.Compile(Model.Ruleset.Empty(family == IpFamily.IPv4 ? IpFamily.IPv6 : IpFamily.IPv4)));
        var table = new ConnectionTable(new ConntrackSettings { AutomaticHelpers = false }, [new FtpHelper { Ports = [FtpHelper.DefaultPort] }]);
        var (ipv4, ipv6) = family == IpFamily.IPv4 ? (active, other) : (other, active);
        var worker = new PacketWorker(ipv4, ipv6, table, HostAddresses.None);
        foreach (var packet in packets)
        {
            var frame = new byte[EthernetHeader + packet.Length];
            frame[0] = 2;
            _kernel.SourceHardwareAddress.CopyTo(frame, 6);
            (frame[12], frame[13]) = family == IpFamily.IPv4 ? ((byte)0x08, (byte)0x00) : ((byte)0x86, (byte)0xdd);
            packet.CopyTo(frame, EthernetHeader);
            worker.Process(new PacketInput
            {
                Link = LinkType.Ethernet,
                Frame = frame,
                WireLength = frame.Length,
                Time = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100,
                In = InterfaceName.From(In),
                Out = InterfaceName.From(Out),
                Way = PacketWay.Forward,
            });
        }
        return CounterListing.OfEngine(active.Rules, active.Counters);
    }
}
