using System.Text;
using FwCluster.Datapath.Logging;
using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests.Logging;

public class LogLineTests
{
    private static readonly PacketAddresses Addresses = PacketAddresses.Parse("198.51.100.7", "203.0.113.1");
    private static readonly byte[] Syn = PacketBuilder.Tcp(Addresses, 40000, 22, TcpFlags.Syn, window: 64240);

    [Fact]
    public void ALineIsAsPeopleKnowIt()
    {
        var ethernet = new LinkHeader
        {
            HasSourceMac = true, SourceMac = 0x0200_0000_0001, HasDestinationMac = true, DestinationMac = 0x0200_0000_0002, EtherType = 0x0800,
        };
        var packet = new PacketAtHook { Hook = Hook.Input, Packet = Syn, In = InterfaceName.From("eth0"), Link = ethernet };
        Assert.Equal(
            "DROPPED: IN=eth0 OUT= MAC=02:00:00:00:00:02:02:00:00:00:00:01:08:00 SRC=198.51.100.7 DST=203.0.113.1 LEN=40 TOS=0x00 PREC=0x00 "
            + "TTL=64 ID=0 PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0 ",
            Write(packet, "DROPPED: "));
    }

    [Fact]
    public void WhatIsNotKnownOfTheLinkIsNotWritten()
    {
        Assert.StartsWith("IN=tun0 OUT= MAC= SRC=", Write(new() { Hook = Hook.Input, Packet = Syn, In = InterfaceName.From("tun0") }, ""),
            StringComparison.Ordinal);
        Assert.StartsWith("IN= OUT=eth0 SRC=", Write(new() { Hook = Hook.Output, Packet = Syn, Out = InterfaceName.From("eth0") }, ""),
            StringComparison.Ordinal);
    }

    [Fact]
    public void APrefixIsUtf8()
        => Assert.StartsWith("blockiert für: IN= OUT= SRC=", Write(new() { Hook = Hook.Output, Packet = Syn }, "blockiert für: "),
            StringComparison.Ordinal);

    [Fact]
    public void ALineThatDoesNotFitIsCut()
    {
        var packet = new PacketAtHook { Hook = Hook.Output, Packet = Syn };
        var whole = Write(packet, "");
        for (var size = 0; size <= whole.Length; size++) Assert.Equal(whole[..size], Write(packet, "", size));
    }

    [Fact]
    public void ExtensionHeadersWithoutEndAreCutWhereTheKernelCuts()
    {
        (byte, byte[])[] extensions = [.. Enumerable.Repeat((IpProtocol.DestinationOptions, new byte[8]), 150)];
        var addresses = PacketAddresses.Parse("2001:db8::1", "2001:db8::2");
        var packet = PacketBuilder.Udp(addresses, 1, 2, default, new IpFields { ExtensionHeaders = extensions });
        var line = Write(new() { Hook = Hook.Output, Packet = packet }, "", 5000, LogFlags.IPOptions);
        Assert.Equal(LogLine.MaxBytes, line.Length);
    }

    [Fact]
    public void LinesAreNotAllocated()
    {
        var line = new byte[LogLine.MaxBytes];
        var request = new LogRequest("prefix ", 4, 0x2f, -1);
        var allocated = new PacketAtHook { Hook = Hook.Input, Packet = Syn, In = InterfaceName.From("eth0") }.With((in PacketContext context) =>
        {
            // The runtime allocates for itself now and then; what allocates each time does so in every round.
            var least = long.MaxValue;
            for (var round = 0; round < 6; round++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var i = 0; i < 1000; i++)
                    LogLine.Write(in context, in request, line);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }
            return least;
        });
        Assert.Equal(0, allocated);
    }

    private static string Write(PacketAtHook packet, string prefix, int size = LogLine.MaxBytes, LogFlags flags = LogFlags.None)
    {
        var line = new byte[size];
        var request = new LogRequest(prefix, 4, (byte)flags, -1);
        return Encoding.UTF8.GetString(line, 0, packet.With((in PacketContext context) => LogLine.Write(in context, in request, line)));
    }
}
