using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Datapath.Tests;

public sealed class RulesetChangeTests
{
    private const string Before = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p udp -m udp --dport 1 -j ACCEPT
        -A FORWARD -p udp -m udp --dport 2 -j ACCEPT
        COMMIT

        """;

    private readonly PacketWorker _worker = new(
        ActiveRuleset.From(Compile(Before)), ActiveRuleset.From(CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6))),
        new ConnectionTable(ConntrackSettings.Default, []), HostAddresses.None);

    [Fact]
    public async Task UnchangedRulesGoOnCountingWhereverTheyStandAndTheConnectionsStay()
    {
        Send(1);
        Send(2);
        Send(2);
        Send(3); // the policy's
        var change = Change("""
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD DROP [0:0]
            :OUTPUT ACCEPT [0:0]
            -A FORWARD -p udp -m udp --dport 3 -j ACCEPT
            -A FORWARD -p udp -m udp --dport 2 -j ACCEPT
            COMMIT

            """);
        Assert.False(change.Made.IsCompleted);
        Send(3);
        await change.Made;
        Assert.Equal([1UL, 1UL, 2UL], Counters());
        Assert.Equal(3, _worker.Connections.Count);
    }

    [Fact]
    public void OfEqualRulesEachGoesOnFromItsOwn()
    {
        var twice = Before.Replace("--dport 2", "--dport 1", StringComparison.Ordinal).Replace("-j ACCEPT", "", StringComparison.Ordinal);
        Change(twice);
        Send(1);
        Change(twice.Replace("COMMIT", "-A FORWARD -p udp -m udp --dport 1\nCOMMIT", StringComparison.Ordinal));
        Send(1);
        Assert.Equal([2UL, 2UL, 2UL, 1UL], Counters());
    }

    [Fact]
    public void WhatWasZeroedStaysZeroed()
    {
        Send(1);
        _worker.Rules(IpFamily.IPv4).Counters.Zero();
        Change(Before);
        Send(1);
        Assert.Equal([0UL, 1UL, 0UL], Counters());
    }

    private static CompiledRuleset Compile(string text)
    {
        var read = RulesetReader.Read(text, "rules", IpFamily.IPv4);
        Assert.Empty(read.Errors);
        return CompiledRuleset.Compile(read.IPv4!);
    }

    private RulesetChange Change(string text)
    {
        var change = new RulesetChange(_worker, Compile(text), CompiledRuleset.Compile(Ruleset.Empty(IpFamily.IPv6)));
        _worker.Change(change);
        return change;
    }

    private void Send(ushort port)
    {
        var packet = PacketBuilder.Udp(PacketAddresses.Parse("192.0.2.1", "198.51.100.1"), 5000, port);
        _worker.Process(new PacketInput { Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = 1 });
    }

    /// <summary>Policy and rules of FORWARD.</summary>
    private ulong[] Counters()
    {
        var active = _worker.Rules(IpFamily.IPv4);
        var chain = active.Rules.ChainOf(TableId.Filter, Hook.Forward);
        return [.. Enumerable.Range(0, active.Rules.Chains[chain].Rules.Length + 1).Select(i => active.Counters.Read(chain, i).Packets)];
    }
}
