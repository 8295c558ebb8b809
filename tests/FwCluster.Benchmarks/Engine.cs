using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Benchmarks;

/// <summary>A worker with rules, fed from memory: the whole way of a packet, on the caller's thread.</summary>
public sealed class Engine
{
    private readonly PacketWorker _worker;
    private long _now = 1_700_000_000_000_000_000;

    /// <summary>Makes a worker on the FTP server's host that runs these rules.</summary>
    public Engine(string rules, int maxEntries = 262_144)
    {
        var read = RulesetReader.Read(rules, "rules", IpFamily.IPv4);
        if (read.Errors.Count > 0) throw new InvalidOperationException(string.Join('\n', read.Errors));
        _worker = new PacketWorker(
            ActiveRuleset.From(CompiledRuleset.Compile(read.IPv4 ?? Ruleset.Empty(IpFamily.IPv4))),
            ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6))),
            new ConnectionTable(ConntrackSettings.Default with { MaxEntries = maxEntries }, []),
            new HostAddresses([new HostAddress(IpFamily.IPv4, Traffic.Server, 32)]));
    }

    /// <summary>The connections.</summary>
    public ConnectionTable Connections => _worker.Connections;

    /// <summary>Takes every packet to its verdict; how many were accepted.</summary>
    public int Run(Traffic traffic)
    {
        var accepted = 0;
        for (var i = 0; i < traffic.Count; i++)
        {
            var packet = traffic[i];
            _now += 100;
            var outcome = _worker.Process(new PacketInput
            {
                Link = LinkType.Raw,
                Frame = packet,
                WireLength = packet.Length,
                Time = _now,
            });
            if (outcome.Fate == PacketFate.Accepted) accepted++;
        }
        return accepted;
    }
}
