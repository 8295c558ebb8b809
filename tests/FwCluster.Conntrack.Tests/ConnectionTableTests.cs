using System.Runtime.CompilerServices;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Conntrack.Table;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests;

public sealed class ConnectionTableTests
{
    [Fact]
    public void AnEntryIsThreeCacheLines() => Assert.Equal(192, Unsafe.SizeOf<Connection>());

    [Fact]
    public void AConnectionIsNewThenEstablishedAndAssuredAfterTheHandshake()
    {
        var harness = new Harness();
        harness.Open();
        var connection = harness.Only();
        Assert.Equal(TcpState.Established, connection.Tcp.State);
        Assert.Equal(ConnectionStatus.Confirmed | ConnectionStatus.SeenReply | ConnectionStatus.Assured, connection.Status);
        Assert.Equal((2UL, 80UL), (connection.OriginalCounters.Packets, connection.OriginalCounters.Bytes));
        Assert.Equal((1UL, 40UL), (connection.ReplyCounters.Packets, connection.ReplyCounters.Bytes));
    }

    [Fact]
    public void ADroppedFirstPacketLeavesNoEntry()
    {
        var harness = new Harness();
        Assert.Equal(ConntrackState.New, harness.SendDropped(Harness.Segment(true, TcpFlags.Syn, 999)));
        Assert.Equal(0, harness.Table.Count);
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 999));
        Assert.Equal(1, harness.Table.Count);
    }

    [Fact]
    public void APacketDroppedLaterStillMovesItsConnection()
    {
        // The tracker runs before the rules: nf_conntrack_in sits at the hook's beginning, the filter behind it.
        var harness = new Harness();
        harness.Tcp(true, TcpFlags.Syn, 999);
        harness.SendDropped(Harness.Segment(false, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000));
        Assert.Equal(TcpState.SynRecv, harness.Only().Tcp.State);
    }

    [Fact]
    public void AnEntryEndsWhenItsTimeIsOver()
    {
        var harness = new Harness();
        harness.Send(PacketBuilder.Udp(Harness.ToServer, 5000, 53));
        harness.Wait(29.9);
        Assert.Single(harness.Table.Connections(harness.Now));
        harness.Wait(0.2);
        Assert.Empty(harness.Table.Connections(harness.Now));
        Assert.Equal(ConntrackState.New, harness.Send(PacketBuilder.Udp(Harness.ToServer.Reversed, 53, 5000)));
    }

    [Fact]
    public void SweepRemovesWhatIsOverAndNothingElse()
    {
        var harness = new Harness();
        harness.Send(PacketBuilder.Udp(Harness.ToServer, 5000, 53));
        harness.Open();
        harness.Wait(60);
        Assert.Equal(1, harness.Table.Sweep(harness.Now, 100));
        Assert.Equal(1, harness.Table.Count);
        Assert.Equal(IpProtocol.Tcp, harness.Only().Original.Protocol);
    }

    [Fact]
    public void UdpIsAStreamOnceItGoesOnForTwoSeconds()
    {
        var harness = new Harness();
        harness.Send(PacketBuilder.Udp(Harness.ToServer, 5000, 53));
        Assert.Equal(ConntrackState.Established, harness.Send(PacketBuilder.Udp(Harness.ToServer.Reversed, 53, 5000)));
        Assert.Equal(ConnectionStatus.Confirmed | ConnectionStatus.SeenReply, harness.Only().Status);
        harness.Wait(2.1);
        harness.Send(PacketBuilder.Udp(Harness.ToServer, 5000, 53));
        Assert.True(harness.Only().Status.HasFlag(ConnectionStatus.Assured));
        Assert.Equal(120, (harness.Only().Expires - harness.Now) / 1_000_000_000);
    }

    [Fact]
    public void AFullTableDropsAnUnassuredEntryBeforeItRefuses()
    {
        // One bucket's worth of entries is searched at a time; with so few buckets all of them are.
        var harness = new Harness(ConntrackSettings.Default with { MaxEntries = 4 });
        for (ushort i = 0; i < 3; i++) harness.Open(clientPort: (ushort)(1000 + i));
        harness.Tcp(true, TcpFlags.Syn, 5, clientPort: 2000); // not assured
        var before = harness.Table.Statistics.EarlyDropped;
        for (ushort i = 0; i < 64 && harness.Table.Statistics.EarlyDropped == before; i++)
            harness.Tcp(true, TcpFlags.Syn, 5, clientPort: (ushort)(3000 + i));
        Assert.True(harness.Table.Statistics.EarlyDropped > before);
        Assert.Equal(3, harness.Table.Connections(harness.Now)
            .Count(i => harness.Table[i].Status.HasFlag(ConnectionStatus.Assured)));
        Assert.True(harness.Table.Count <= 4);
    }

    [Fact]
    public void AFullTableOfAssuredEntriesDropsThePacketAndCountsIt()
    {
        var harness = new Harness(ConntrackSettings.Default with { MaxEntries = 2 });
        harness.Open(clientPort: 1000);
        harness.Open(clientPort: 1001);
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, clientPort: 1002));
        Assert.True(harness.Last.Drop);
        Assert.Equal(TrackFailure.TableFull, harness.Last.Failure);
        Assert.Equal(1UL, harness.Table.Statistics[TrackFailure.TableFull]);
        Assert.Equal(2, harness.Table.Count);
    }

    [Fact]
    public void UnderPressureTheSweepTakesClosingConnections()
    {
        var harness = new Harness(ConntrackSettings.Default with { MaxEntries = 100 });
        for (ushort i = 0; i < 100; i++) harness.Open(clientPort: (ushort)(1000 + i));
        harness.Tcp(false, TcpFlags.Fin | TcpFlags.Ack, 2000, 1000, clientPort: 1000); // one is closing
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, clientPort: 2000));
        Assert.True(harness.Last.Drop);
        Assert.Equal(1, harness.Table.Sweep(harness.Now, 100));
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 5, clientPort: 2000));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void TheSweepUnderPressureGoesOnceAroundWhereverItBegins(int at)
    {
        var harness = new Harness(ConntrackSettings.Default with { MaxEntries = 100 });
        for (ushort i = 0; i < 100; i++) harness.Open(clientPort: (ushort)(1000 + i));
        foreach (ushort port in (ushort[])[1020, 1070]) harness.Tcp(false, TcpFlags.Fin | TcpFlags.Ack, 2000, 1000, clientPort: port);
        Assert.Equal(0, harness.Table.Sweep(harness.Now, at));
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, clientPort: 2000));
        Assert.Equal(2, harness.Table.Sweep(harness.Now, 100));
        harness.Tcp(false, TcpFlags.Fin | TcpFlags.Ack, 2000, 1000, clientPort: 1030);
        Assert.Equal(0, harness.Table.Sweep(harness.Now, 100)); // nobody was refused since
    }

    [Fact]
    public void ARefusedConnectionCostsABoundedNumberOfClosingOnes()
    {
        const int max = 10_000, closing = 400, each = 256;
        var harness = new Harness(ConntrackSettings.Default with { MaxEntries = max });
        for (ushort i = 0; i < max; i++) harness.Open(clientPort: (ushort)(1000 + i));
        for (ushort i = 0; i < closing; i++) harness.Tcp(false, TcpFlags.Fin | TcpFlags.Ack, 2000, 1000, clientPort: (ushort)(1000 + i));
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, clientPort: 20000));
        Assert.True(harness.Last.Drop);
        Assert.Equal(each, harness.Table.Sweep(harness.Now, max));
        Assert.Equal(0, harness.Table.Sweep(harness.Now, max));
        // Only the next one who is refused costs the rest.
        for (ushort i = 0; i < each; i++) harness.Open(clientPort: (ushort)(30000 + i));
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, clientPort: 20000));
        Assert.Equal(closing - each, harness.Table.Sweep(harness.Now, max));
    }

    [Fact]
    public void ZonesKeepEqualTuplesApart()
    {
        var harness = new Harness();
        var zone = new ConnectionTemplate { Zone = 7, ZoneDirections = ZoneDirections.Both };
        var syn = Harness.Segment(true, TcpFlags.Syn, 999);
        var synAck = Harness.Segment(false, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000);
        Assert.Equal(ConntrackState.New, harness.Send(syn));
        Assert.Equal(ConntrackState.New, harness.Send(syn, zone));
        Assert.Equal(2, harness.Table.Count);
        Assert.Equal(ConntrackState.Established, harness.Send(synAck, zone));
        Assert.Equal(1, harness.Table.Connections(harness.Now)
            .Count(i => harness.Table[i].Status.HasFlag(ConnectionStatus.SeenReply)));
    }

    [Fact]
    public void AZoneOfTheOriginalDirectionIsNoneOfTheReply()
    {
        var harness = new Harness();
        var zone = new ConnectionTemplate { Zone = 7, ZoneDirections = ZoneDirections.Original };
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 999), zone);
        Assert.Equal(ConntrackState.Established, harness.Send(Harness.Segment(false, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000)));
    }

    [Fact]
    public void TwoConnectionsDoNotShareTheTupleOfTheirReplies()
    {
        // The kernel drops the packet when it confirms: the reply could not be told apart (__nf_conntrack_confirm).
        var harness = new Harness();
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 999));
        var zone = new ConnectionTemplate { Zone = 77, ZoneDirections = ZoneDirections.Original };
        Assert.Equal(ConntrackState.New, harness.Send(Harness.Segment(true, TcpFlags.Syn, 999), zone));
        Assert.Equal(1UL, harness.Table.Statistics[TrackFailure.Clash]);
        Assert.Equal(1, harness.Table.Count);
    }

    [Fact]
    public void WhatIsNotTrackedIsUntracked()
    {
        var harness = new Harness();
        Assert.Equal(ConntrackState.Untracked,
            harness.Send(Harness.Segment(true, TcpFlags.Syn), new ConnectionTemplate { NoTrack = true }));
        var discovery = PacketAddresses.Parse("fe80::1", "ff02::1:ff00:2");
        Assert.Equal(ConntrackState.Untracked, harness.Send(PacketBuilder.Icmp(discovery, 135, 0)));
        Assert.Equal(0, harness.Table.Count);
    }

    [Fact]
    public void AConnectionWithItselfIsAnsweredByItsOwnPackets()
    {
        // As the kernel has it: seen with UDP from an address and port to the same ones.
        var harness = new Harness();
        var self = PacketAddresses.Parse("192.0.2.1", "192.0.2.1");
        Assert.Equal(ConntrackState.New, harness.Send(PacketBuilder.Udp(self, 5000, 5000)));
        Assert.Equal(ConntrackState.Established, harness.Send(PacketBuilder.Udp(self, 5000, 5000)));
        Assert.Equal(Direction.Reply, harness.Last.Direction);
    }

    [Fact]
    public void AnErrorIsRelatedToTheConnectionItQuotes()
    {
        var harness = new Harness();
        var query = PacketBuilder.Udp(Harness.ToServer, 5000, 53);
        harness.Send(query);
        var router = PacketAddresses.Parse("192.0.2.1", "10.211.55.10");
        Assert.Equal(ConntrackState.Related, harness.Send(PacketBuilder.IcmpError(router, 3, 3, query)));
        Assert.Equal(Direction.Reply, harness.Last.Direction);
        var stranger = PacketAddresses.Parse("192.0.2.1", "10.211.55.11");
        Assert.Equal(ConntrackState.Invalid, harness.Send(PacketBuilder.IcmpError(stranger, 3, 3, query)));
        Assert.Equal(TrackFailure.IcmpBadQuote, harness.Last.Failure);
        var unknown = PacketBuilder.Udp(Harness.ToServer, 5001, 53);
        Assert.Equal(ConntrackState.Invalid, harness.Send(PacketBuilder.IcmpError(router, 3, 3, unknown)));
        Assert.Equal(TrackFailure.IcmpUnknownQuote, harness.Last.Failure);
        Assert.Equal(1, harness.Table.Count);
    }

    [Fact]
    public void ARefusedConnectionIsForgottenWithItsRst()
    {
        var harness = new Harness();
        harness.Tcp(true, TcpFlags.Syn, 999);
        Assert.Equal(ConntrackState.Established, harness.Tcp(false, TcpFlags.Rst | TcpFlags.Ack, 0, 1000));
        Assert.Equal(0, harness.Table.Count);
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 999));
    }

    [Fact]
    public void ASynOverAClosedConnectionBeginsANewOne()
    {
        var harness = new Harness();
        harness.Open();
        harness.Tcp(true, TcpFlags.Fin | TcpFlags.Ack, 1000, 2000);
        harness.Tcp(false, TcpFlags.Fin | TcpFlags.Ack, 2000, 1001);
        harness.Tcp(true, TcpFlags.Ack, 1001, 2001);
        Assert.Equal(TcpState.TimeWait, harness.Only().Tcp.State);
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 50_000));
        Assert.Equal(TcpState.SynSent, harness.Only().Tcp.State);
    }

    [Fact]
    public void AnAnnouncedConnectionIsRelatedOnceAndGoesWithItsMaster()
    {
        var harness = new Harness(null, new FtpHelper { Ports = [21] });
        Announce(harness, "227 Entering Passive Mode (10,211,55,20,200,10)\r\n");
        Assert.Single(harness.Table.Expectations(harness.Now));

        ushort data = 200 * 256 + 10;
        Assert.Equal(ConntrackState.Related, harness.Tcp(true, TcpFlags.Syn, 5, port: data, clientPort: 50_000));
        Assert.Empty(harness.Table.Expectations(harness.Now));
        // Retransmitted before its answer it is RELATED again; a second connection is NEW.
        Assert.Equal(ConntrackState.Related, harness.Tcp(true, TcpFlags.Syn, 5, port: data, clientPort: 50_000));
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 5, port: data, clientPort: 50_001));
    }

    [Fact]
    public void ExpectationsEndWithTheirTimeAndWithTheirMaster()
    {
        var harness = new Harness(null, new FtpHelper { Ports = [21] });
        Announce(harness, "227 Entering Passive Mode (10,211,55,20,200,10)\r\n");
        harness.Wait(301);
        Assert.Empty(harness.Table.Expectations(harness.Now));
        Assert.Equal(ConntrackState.New, harness.Tcp(true, TcpFlags.Syn, 5, port: 200 * 256 + 10, clientPort: 50_000));

        harness = new Harness(null, new FtpHelper { Ports = [21] });
        Announce(harness, "227 Entering Passive Mode (10,211,55,20,200,10)\r\n");
        harness.Table.Remove(harness.Table.Connections(harness.Now).Single());
        Assert.Empty(harness.Table.Expectations(harness.Now));
    }

    [Fact]
    public void AHelperAttachesByItselfOnlyWhereThatIsOn()
    {
        var settings = ConntrackSettings.Default with { AutomaticHelpers = false };
        var harness = new Harness(settings, new FtpHelper { Ports = [21] });
        harness.Open(port: 21);
        Assert.Equal(0, harness.Only().Helper);
        harness.Send(Harness.Segment(true, TcpFlags.Syn, 5, port: 2121), new ConnectionTemplate { Helper = 1, IsSet = true });
        Assert.Contains(harness.Table.Connections(harness.Now), i => harness.Table[i].Helper == 1);
    }

    [Fact]
    public void AnUnloadedHelperLeavesItsConnectionsAndComesBackForNewOnes()
    {
        var harness = new Harness(null, new FtpHelper { Ports = [21] });
        Announce(harness, "227 Entering Passive Mode (10,211,55,20,200,10)\r\n");
        harness.Table.Unload("ftp");
        Assert.False(harness.Table.IsLoaded("ftp"));
        Assert.Empty(harness.Table.Expectations(harness.Now));
        Assert.Equal(0, harness.Only().Helper);
        harness.Open(port: 21, clientPort: 41000);
        Assert.All(harness.Table.Connections(harness.Now), i => Assert.Equal(0, harness.Table[i].Helper));
        harness.Table.Load("ftp");
        harness.Open(port: 21, clientPort: 42000);
        Assert.Single(harness.Table.Connections(harness.Now), i => harness.Table[i].Helper == 1);
        Assert.Throws<ArgumentException>(() => harness.Table.Unload("irc"));
    }

    [Fact]
    public void TheHashIsOneForBothDirectionsAndKeyed()
    {
        var hash = TupleHash.Random();
        var other = TupleHash.Random();
        var different = 0;
        for (ushort port = 1; port < 200; port++)
        {
            foreach (var packet in (byte[][])[
                Harness.Segment(true, TcpFlags.Syn, clientPort: port), PacketBuilder.Echo(Harness.ToServer, port, 1),
                PacketBuilder.Udp(PacketAddresses.Parse("2001:db8::1", "2001:db8::2"), port, 53)])
            {
                PacketDecoder.Decode(packet, packet.Length, out var headers);
                var tuple = headers.Tuple;
                Assert.Equal(hash.Of(tuple), hash.Of(TupleInverse.Of(tuple)));
                if (hash.Of(tuple) != other.Of(tuple)) different++;
            }
        }
        Assert.Equal(199 * 3, different);
    }

    [Fact]
    public void TrackingAllocatesNothing()
    {
        var harness = new Harness();
        harness.Open();
        var packet = Harness.Segment(true, TcpFlags.Ack, 1000, 2000);
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        var table = harness.Table;
        void Many(int count)
        {
            for (var i = 0; i < count; i++)
            {
                var result = table.Track(headers, packet, default, harness.Now);
                table.Confirm(ref result, headers, packet, harness.Now);
            }
        }
        Many(1000);
        // The runtime allocates for itself now and then (compiling for speed); a packet that allocates does so in every round.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Many(10_000);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    private static void Announce(Harness harness, string line)
    {
        harness.Open(port: 21);
        harness.Send(PacketBuilder.Tcp(Harness.ToServer.Reversed, 21, Harness.ClientPort, TcpFlags.Ack | TcpFlags.Psh, 2000, 1000, 65000,
            default, "220 ready\r\n"u8));
        harness.Send(PacketBuilder.Tcp(Harness.ToServer.Reversed, 21, Harness.ClientPort, TcpFlags.Ack | TcpFlags.Psh, 2011, 1000, 65000,
            default, System.Text.Encoding.ASCII.GetBytes(line)));
    }
}
