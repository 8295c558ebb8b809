using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests;

public class PacketWorkerTests
{
    private static readonly PacketAddresses Through = PacketAddresses.Parse("10.0.0.10", "10.1.0.11");

    [Fact]
    public void AllIsForwardWithoutLocalAddresses()
    {
        var bench = new WorkerBench("*filter\n-A FORWARD -p udp -j DROP\nCOMMIT\n");
        foreach (var to in new[] { "10.1.0.11", "224.0.0.1", "255.255.255.255", "127.0.0.1" })
        {
            var outcome = bench.Send(PacketBuilder.Udp(PacketAddresses.Parse("10.0.0.10", to), 1, 2));
            Assert.Equal((PacketFate.Dropped, Hook.Forward, 1, ConntrackState.New), (outcome.Fate, outcome.Hook, outcome.Decision.Rule, outcome.State));
        }
        Assert.Equal("4 | 0", bench.Counts(TableId.Filter, Hook.Forward));
    }

    [Theory]
    [InlineData("10.0.0.10", "10.0.0.1", PacketWay.Input)]
    [InlineData("10.0.0.1", "10.0.0.10", PacketWay.Output)]
    [InlineData("10.0.0.10", "10.0.0.11", PacketWay.Forward)]
    [InlineData("10.0.0.1", "10.0.0.2", PacketWay.Loopback)]
    [InlineData("10.0.0.10", "10.0.0.255", PacketWay.Input)]
    [InlineData("10.0.0.10", "10.0.1.255", PacketWay.Forward)]
    [InlineData("10.0.0.10", "255.255.255.255", PacketWay.Input)]
    [InlineData("10.0.0.10", "239.1.2.3", PacketWay.Input)]
    [InlineData("10.0.0.1", "239.1.2.3", PacketWay.Output)]
    [InlineData("127.0.0.1", "127.0.0.1", PacketWay.Loopback)]
    [InlineData("2001:db8::9", "2001:db8::1", PacketWay.Input)]
    [InlineData("2001:db8::9", "ff02::1", PacketWay.Input)]
    [InlineData("2001:db8::9", "2001:db8::8", PacketWay.Forward)]
    public void TheWayIsToldByTheAddresses(string source, string destination, PacketWay way)
    {
        var host = new HostAddresses([Address("10.0.0.1/24"), Address("10.0.0.2"), Address("2001:db8::1")]);
        var addresses = PacketAddresses.Parse(source, destination);
        var headers = new PacketHeaders { Family = addresses.Family, Source = addresses.Source, Destination = addresses.Destination };
        Assert.Equal(way, host.WayOf(in headers, LinkPacketType.Host));
    }

    [Theory]
    [InlineData("10.0.0.1", AddressType.Local)]
    [InlineData("127.9.9.9", AddressType.Local)]
    [InlineData("10.0.0.255", AddressType.Broadcast)]
    [InlineData("255.255.255.255", AddressType.Broadcast)]
    [InlineData("0.0.0.0", AddressType.Broadcast)]
    [InlineData("224.0.0.251", AddressType.Multicast)]
    [InlineData("10.0.0.9", AddressType.Unicast)]
    [InlineData("2001:db8::1", AddressType.Local | AddressType.Unicast)]
    [InlineData("::", AddressType.Unspec)]
    [InlineData("ff02::1", AddressType.Multicast)]
    public void AddressesHaveTheTypesOfTheRoutingTable(string address, AddressType type)
    {
        var host = new HostAddresses([Address("10.0.0.1/24"), Address("2001:db8::1/64")]);
        Assert.True(IpAddress.TryParse(address, out var parsed, out var family));
        Assert.Equal(type, host.TypeOf(family, parsed));
    }

    [Theory]
    [InlineData("10.0.0", "'10.0.0' is no address")]
    [InlineData("host", "'host' is no address")]
    [InlineData("10.0.0.1/33", "'33' is no prefix length; a number from 0 to 32 is")]
    [InlineData("2001:db8::1/129", "from 0 to 128")]
    [InlineData("10.0.0.1/", "'' is no prefix length")]
    public void WhatIsNoAddressIsSaid(string text, string expected)
    {
        Assert.False(HostAddress.TryParse(text, out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    /// <summary>Of a packet that a gateway answers before any rule of its FORWARD: the kernel gives the answer that packet's connection.</summary>
    [Fact]
    public void TheHostsOwnErrorIsRelatedAndSomebodyElsesIsNot()
    {
        var bench = new WorkerBench("""
            *filter
            -A FORWARD -m state --state INVALID
            -A OUTPUT -m state --state RELATED
            COMMIT

            """, local: "10.0.0.1");
        var late = PacketBuilder.Udp(Through, 9, 10);
        bench.Send(PacketBuilder.IcmpError(PacketAddresses.Parse("10.0.0.1", "10.0.0.10"), 11, 0, late));
        Assert.Equal("1 | 1", bench.Counts(TableId.Filter, Hook.Output));
        bench.Send(PacketBuilder.IcmpError(PacketAddresses.Parse("10.1.0.1", "10.0.0.10"), 11, 0, late));
        Assert.Equal("1 | 1", bench.Counts(TableId.Filter, Hook.Forward));
    }

    [Fact]
    public void AFragmentIsHeldAndTheLastOneCarriesThePacket()
    {
        var bench = new WorkerBench("*filter\n-A FORWARD -p udp -m udp --dport 10 -j ACCEPT\nCOMMIT\n");
        var fragments = PacketBuilder.Fragment(PacketBuilder.Udp(Through, 9, 10, new byte[3000]), 77, 1400, 1400);
        Assert.Equal(PacketFate.FragmentHeld, bench.Send(fragments[0]).Fate);
        Assert.Equal(PacketFate.FragmentHeld, bench.Send(fragments[2]).Fate);
        var last = bench.Send(fragments[1]);
        Assert.Equal((PacketFate.Accepted, ConntrackState.New, 1), (last.Fate, last.State, last.Decision.Rule));
        var counted = bench.Rules4.Counters.Read(bench.Rules4.Rules.ChainOf(TableId.Filter, Hook.Forward), 1);
        Assert.Equal((1UL, 3028UL), (counted.Packets, counted.Bytes));
    }

    [Fact]
    public void WhatIsNoPacketReachesNoRule()
    {
        var bench = new WorkerBench();
        Assert.Equal(PacketFate.NotIp, bench.Send([]).Fate);
        Assert.Equal(PacketFate.NotIp, bench.Send(new byte[60]).Fate);
        Assert.Equal(PacketFate.NotIp, bench.Send(new byte[60], LinkType.Ethernet).Fate);
        Assert.Equal(PacketFate.NotIp, bench.Send(new byte[60], (LinkType)147).Fate);
        var packet = PacketBuilder.Udp(Through, 1, 2);
        packet[10] ^= 1;
        Assert.Equal(PacketFate.BadHeader, bench.Send(packet).Fate);
        Assert.Equal("| 0", bench.Counts(TableId.Filter, Hook.Forward).Trim());
        Assert.Equal(5UL, bench.Worker.Statistics.Frames);
        Assert.Equal(4UL, bench.Worker.Statistics[PacketFate.NotIp]);
    }

    [Fact]
    public void ADroppedFirstPacketLeavesNoEntry()
    {
        var bench = new WorkerBench("*mangle\n-A POSTROUTING -p udp -m udp --dport 2 -j DROP\nCOMMIT\n");
        for (var i = 0; i < 2; i++)
        {
            var outcome = bench.Send(PacketBuilder.Udp(Through, 1, 2));
            Assert.Equal((PacketFate.Dropped, ConntrackState.New, TableId.Mangle), (outcome.Fate, outcome.State, outcome.Table));
        }
        Assert.Equal(0, bench.Worker.Connections.Count);
        Assert.Equal(ConntrackState.New, bench.Send(PacketBuilder.Udp(Through.Reversed, 2, 1)).State);
        Assert.Equal(1, bench.Worker.Connections.Count);
    }

    [Fact]
    public void AFullTableDropsBeforeRules()
    {
        var bench = new WorkerBench(settings: ConntrackSettings.Default with { MaxEntries = 1 });
        var syn = PacketBuilder.Tcp(Through, 1, 2, TcpFlags.Syn);
        bench.Send(syn);
        bench.Send(PacketBuilder.Tcp(Through.Reversed, 2, 1, TcpFlags.Syn | TcpFlags.Ack, acknowledgment: 1));
        bench.Send(PacketBuilder.Tcp(Through, 1, 2, TcpFlags.Ack, sequence: 1, acknowledgment: 1));
        var outcome = bench.Send(PacketBuilder.Udp(Through, 1, 2));
        Assert.Equal((PacketFate.TrackingDropped, TrackFailure.TableFull, ConntrackState.None), (outcome.Fate, outcome.Failure, outcome.State));
        Assert.Equal("| 3", bench.Counts(TableId.Filter, Hook.Forward).Trim());
    }

    [Fact]
    public void TimeThatRunsBackwardsStandsStill()
    {
        var bench = new WorkerBench();
        var packet = PacketBuilder.Udp(Through, 1, 2);
        PacketInput At(long time) => new() { Link = LinkType.Raw, Frame = packet, WireLength = packet.Length, Time = time };
        bench.Worker.Process(At(1000));
        bench.Worker.Process(At(10));
        Assert.Equal(1000, bench.Worker.Now);
    }

    [Fact]
    public void InterfacesAreThoseOfTheDirection()
    {
        var bench = new WorkerBench(
            "*filter\n-A FORWARD -i eth0 -o eth1\n-A INPUT -i eth0\n-A INPUT -i lo\n-A OUTPUT -o eth1\n-A OUTPUT -o lo\nCOMMIT\n", local: "10.0.0.1")
        {
            In = InterfaceName.From("eth0"),
            Out = InterfaceName.From("eth1"),
        };
        foreach (var (from, to) in new[] { ("10.0.0.2", "10.0.0.3"), ("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "127.0.0.1") })
            bench.Send(PacketBuilder.Udp(PacketAddresses.Parse(from, to), 1, 2));
        Assert.Equal("1 | 1", bench.Counts(TableId.Filter, Hook.Forward));
        Assert.Equal("1 1 | 2", bench.Counts(TableId.Filter, Hook.Input));
        Assert.Equal("1 1 | 2", bench.Counts(TableId.Filter, Hook.Output));
    }

    [Fact]
    public void EstablishedPacketsAllocateNothing()
    {
        var bench = new WorkerBench("*filter\n-A FORWARD -p tcp -m state --state NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n");
        bench.Send(PacketBuilder.Tcp(Through, 1, 2, TcpFlags.Syn));
        bench.Send(PacketBuilder.Tcp(Through.Reversed, 2, 1, TcpFlags.Syn | TcpFlags.Ack, acknowledgment: 1));
        var packet = PacketBuilder.Tcp(Through, 1, 2, TcpFlags.Ack, sequence: 1, acknowledgment: 1);
        // The least of several rounds: a collection on another thread shifts the count.
        var least = long.MaxValue;
        for (var round = 0; round < 10; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 2000; i++) bench.Send(packet);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    private static HostAddress Address(string text)
    {
        Assert.True(HostAddress.TryParse(text, out var address, out var error), error);
        return address;
    }
}
