using FwCluster.Conntrack;
using FwCluster.Conntrack.Table;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Fuzz.Targets;

/// <summary>Promises that more than one target holds the product to.</summary>
internal static class Promises
{
    /// <summary>A mistake's place is in the text.</summary>
    public static void ErrorsHavePlaces(IReadOnlyList<RuleError> errors, string text)
    {
        var lines = text.Split('\n');
        foreach (var error in errors)
        {
            if (error.Line < 1 || error.Line > lines.Length) throw new InvalidOperationException($"no such line: {error}");
            if (error.Column < 1 || error.Column > lines[error.Line - 1].Length + 1)
                throw new InvalidOperationException($"no such column: {error}");
        }
    }

    /// <summary>What is read compiles, and takes packets of every kind.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="none">Rules of the other family: none.</param>
    public static void RulesTakePackets(Ruleset rules, Ruleset none)
    {
        var compiled = CompiledRuleset.Compile(rules, seed: 0);
        var others = CompiledRuleset.Compile(none, seed: 0);
        var (ipv4, ipv6) = rules.Family == IpFamily.IPv4 ? (compiled, others) : (others, compiled);
        var table = new ConnectionTable(ConntrackSettings.Default with { MaxEntries = 64 }, [], new TupleHash("0123456789abcdef"u8));
        var worker = new PacketWorker(ActiveRuleset.From(ipv4), ActiveRuleset.From(ipv6), table,
            new HostAddresses([new HostAddress(IpFamily.IPv4, IpAddress.ReadIPv4([10, 211, 55, 20]), 24)]));
        var now = 1_700_000_000_000_000_000;
        foreach (var packet in PacketSeeds.All)
        {
            worker.Process(new PacketInput
            {
                Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = now += 1_000_000_000,
                In = InterfaceName.From("eth0"), Out = InterfaceName.From("eth1"),
            });
        }
    }
}
