using System.Text;
using FwCluster.Conntrack;
using FwCluster.Datapath.Logging;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;

namespace FwCluster.Datapath.Tests.Logging;

public class OutcomeTextTests
{
    private static readonly PacketAddresses Through = PacketAddresses.Parse("10.0.0.10", "10.1.0.11");

    [Theory]
    [InlineData("*filter\n-A FORWARD -p tcp\n-A FORWARD -p udp -j DROP\nCOMMIT\n", "DROP chain=FORWARD rule=2 state=NEW")]
    [InlineData("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", "DROP chain=FORWARD rule=policy state=NEW")]
    [InlineData("*filter\n:web - [0:0]\n-A FORWARD -j web\n-A web -j DROP\nCOMMIT\n", "DROP chain=web rule=1 state=NEW")]
    [InlineData("*raw\n-A PREROUTING -j DROP\nCOMMIT\n", "DROP chain=raw:PREROUTING rule=1")]
    [InlineData("*filter\n-A FORWARD -j REJECT\nCOMMIT\n", "REJECT chain=FORWARD rule=1 with=icmp-port-unreachable state=NEW")]
    [InlineData("*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n", "")]
    public void ADecisionNamesItsRule(string rules, string expected)
        => Assert.Equal(expected, Text(new WorkerBench(rules), PacketBuilder.Udp(Through, 1, 2)));

    [Fact]
    public void WhatTrackingSaidIsTold()
    {
        var bench = new WorkerBench("*filter\n-A FORWARD -m state --state INVALID -j DROP\nCOMMIT\n");
        Assert.Equal("DROP chain=FORWARD rule=1 state=INVALID reason=TcpFlags",
            Text(bench, PacketBuilder.Tcp(Through, 1, 2, TcpFlags.Syn | TcpFlags.Fin)));

        var full = new PacketOutcome { Fate = PacketFate.TrackingDropped, Family = IpFamily.IPv4, Failure = TrackFailure.TableFull };
        Assert.Equal("DROP tracking reason=TableFull", Text(bench, in full));
    }

    [Fact]
    public void WhatTheStackDropsIsTold()
    {
        var bench = new WorkerBench();
        var packet = PacketBuilder.Udp(Through, 1, 2);
        packet[10] ^= 1;
        Assert.Equal("DROP header", Text(bench, packet));
        Assert.Equal("", Text(bench, [0]));
    }

    [Fact]
    public void TextIsNotAllocatedAndIsCutWhereItDoesNotFit()
    {
        var bench = new WorkerBench("*filter\n-A FORWARD -j REJECT\nCOMMIT\n");
        var outcome = bench.Send(PacketBuilder.Udp(Through, 1, 2));
        var text = new byte[OutcomeText.MaxBytes];
        Assert.Equal(0, Allocation.Least(() =>
        {
            for (var i = 0; i < 1000; i++) OutcomeText.Write(in outcome, bench.Rules4.Rules, text);
        }));
        Assert.Equal(10, OutcomeText.Write(in outcome, bench.Rules4.Rules, text.AsSpan(0, 10)));
    }

    private static string Text(WorkerBench bench, byte[] packet)
    {
        var outcome = bench.Send(packet);
        return Text(bench, in outcome);
    }

    private static string Text(WorkerBench bench, in PacketOutcome outcome)
    {
        var text = new byte[OutcomeText.MaxBytes];
        return Encoding.UTF8.GetString(text, 0, OutcomeText.Write(in outcome, bench.Rules4.Rules, text));
    }
}
