using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Tests.Reject;

/// <summary>What random packets do not come upon: groups, broadcast, IP options that are filled in on the way, the host's own packets.</summary>
public class RejectCornerTests
{
    private const string Sender4 = "198.51.100.7";
    private const string Sender6 = "2001:db8:2::7";

    private static readonly byte[] BroadcastMac = [255, 255, 255, 255, 255, 255];

    [KernelFact]
    public void BroadcastAndMulticastAreAnsweredAsTheKernelAnswersThem()
    {
        using var kernel = new RejectKernel("192.0.2.129/25");
        Check(kernel, tcp: false, Sender4, "192.0.2.255", answered: false);
        Check(kernel, tcp: true, Sender4, "192.0.2.255", answered: false);
        Check(kernel, tcp: false, Sender4, "255.255.255.255", answered: false);
        Check(kernel, tcp: true, Sender4, "224.0.0.1", answered: false);
        Check(kernel, tcp: false, Sender4, "224.0.0.1", answered: false);
        Check(kernel, tcp: false, Sender6, "ff02::1", answered: false);
        Check(kernel, tcp: true, Sender6, "ff02::1", answered: false);
        Check(kernel, tcp: false, Sender4, "192.0.2.129", answered: true);
        Check(kernel, tcp: true, Sender4, "192.0.2.129", answered: true);

        kernel.Referee.DestinationHardwareAddress = BroadcastMac;
        var link = new LinkHeader { PacketType = LinkPacketType.Broadcast };
        Check(kernel, tcp: false, Sender4, "192.0.2.129", answered: false, link);
        Check(kernel, tcp: true, Sender4, "192.0.2.129", answered: true, link);
    }

    [KernelTheory]
    [InlineData(Hook.Input, "07 0b 04 00000000 00000000 00", true)] // record route, two places
    [InlineData(Hook.Forward, "07 0b 04 00000000 00000000 00", true)]
    [InlineData(Hook.Forward, "07 07 04 00000000 00", true)] // one place: nothing is left for the answer
    [InlineData(Hook.Input, "07 07 08 01020304 00", true)] // full
    [InlineData(Hook.Input, "07 0b 05 00000000 00000000 00", false)] // a pointer between places
    [InlineData(Hook.Input, "44 0c 05 00 00000000 00000000", true)] // timestamps
    [InlineData(Hook.Forward, "44 08 05 00 00000000", true)]
    [InlineData(Hook.Input, "44 14 05 01 00000000 00000000 00000000 00000000", true)] // timestamps with addresses
    [InlineData(Hook.Forward, "44 14 05 01 00000000 00000000 00000000 00000000", true)]
    [InlineData(Hook.Input, "44 0c 05 03 cb007163 00000000", true)] // of an address that is not this host's
    [InlineData(Hook.Input, "01 07 07 04 00000000 94040000 44 08 05 00 00000000 00000000", true)] // both, and others
    public void OptionsAreCarriedBack(Hook hook, string options, bool answered)
    {
        using var kernel = new RejectKernel();
        var type = RejectType.IcmpHostUnreachable;
        var to = hook == Hook.Input ? RejectKernel.Local(IpFamily.IPv4, type) : RejectKernel.Behind(IpFamily.IPv4, type);
        var fields = new IpFields { Options = Convert.FromHexString(options.Replace(" ", "", StringComparison.Ordinal)) };
        var packet = PacketBuilder.Udp(PacketAddresses.Parse(Sender4, to), 1000, 2000, "datagram"u8, fields);
        // The stack fills its entry in and leaves the header's checksum as it was, which REJECT then takes for a wrong checksum of the
        // packet; UDP without one is not verified.
        packet.AsSpan(20 + fields.Options.Length + 6, 2).Clear();

        var expected = kernel.Ask(packet);

        Assert.Equal(answered, expected.Length != 0);
        var atHook = hook == Hook.Forward ? PacketAtHook.Forwarded(packet) : packet;
        var now = 0L;
        if (answered)
        {
            // The stack made its entry before the rules saw the packet; the answer quotes it.
            var quote = expected.AsSpan((expected[0] & 15) * 4 + 8);
            quote[20..(20 + fields.Options.Length)].CopyTo(atHook.AsSpan(20));
            now = 1_000_000L * TimeIn(expected);
        }
        else
        {
            atHook[20 + 2] += 4;
        }
        PacketBuilder.WriteHeaderChecksum(atHook);
        var actual = kernel.Answer(type, hook, atHook, expected, now: now);
        Assert.Equal(WithoutQuotedChecksum(expected), WithoutQuotedChecksum(actual));
    }

    [KernelTheory]
    [InlineData("192.0.2.10", "203.0.113.200")]
    [InlineData("192.0.2.10", "192.0.2.11")]
    [InlineData("2001:db8::17", "2001:db8:1::200")]
    [InlineData("2001:db8::17", "2001:db8::18")]
    public void TheHostsOwnPacketsAreAnsweredToItself(string from, string to)
    {
        using var kernel = new RejectKernel();
        var router = kernel.Referee.Router;
        using var loopback = PacketSocket.Open(router, "lo", 3);
        using var socket = router.Run(() =>
        {
            var made = new Socket(IPAddress.Parse(from).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            made.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            return made;
        });
        // The rule makes the call fail, too.
        Assert.Throws<SocketException>(() => socket.SendTo("datagram"u8, new IPEndPoint(IPAddress.Parse(to), RejectKernel.OutputPort)));

        var frame = new byte[2000];
        Assert.True(loopback.Wait(TimeSpan.FromSeconds(10)), "no answer");
        var expected = frame[14..loopback.Receive(frame)];
        var isIPv4 = expected[0] >> 4 == 4;
        var packet = expected[(isIPv4 ? 28 : 48)..];
        var actual = kernel.Answer(isIPv4 ? RejectType.IcmpPortUnreachable : RejectType.Icmp6PortUnreachable, Hook.Output, packet, expected,
            new LinkHeader { PacketType = LinkPacketType.Outgoing }, trustChecksum: true);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(actual));
    }

    [Fact]
    public void AChangedTypeOfServiceIsAnsweredAndQuoted()
    {
        foreach (var (family, to) in ((IpFamily, string)[])[(IpFamily.IPv4, "203.0.113.1"), (IpFamily.IPv6, "2001:db8:1::1")])
        {
            var from = family == IpFamily.IPv4 ? Sender4 : Sender6;
            byte[] Make(byte tos) => PacketBuilder.Udp(PacketAddresses.Parse(from, to), 1, 2, "datagram"u8, new IpFields { Tos = tos });
            byte[] Answer(byte[] packet, byte? tos)
            {
                var answer = new byte[RejectAnswer.MaxBytes];
                var length = new PacketAtHook { Hook = Hook.Forward, Packet = packet }.With((in PacketContext context) =>
                {
                    if (tos is { } changed) context.Headers.Tos = changed;
                    var type = family == IpFamily.IPv4 ? RejectType.IcmpPortUnreachable : RejectType.Icmp6PortUnreachable;
                    return RejectAnswer.Write(type, in context, new RejectRoute { Source = new IpAddress(1, 1) }, answer);
                });
                Assert.NotEqual(0, length);
                return answer[..length];
            }
            Assert.Equal(Answer(Make(0x5a), null), Answer(Make(0x24), 0x5a));
        }
    }

    [Fact]
    public void AHostWithoutAnAddressAnswersFromTheDummyInIPv4Only()
    {
        Assert.Equal("192.0.0.8", SourceOf(IpFamily.IPv4, Sender4, "203.0.113.1"));
        Assert.Equal("", SourceOf(IpFamily.IPv6, Sender6, "2001:db8:1::1"));
    }

    [Fact]
    public void AnswersAreNotAllocated()
    {
        var packet = PacketBuilder.Tcp(PacketAddresses.Parse(Sender4, "203.0.113.1"), 1, 2, TcpFlags.Syn);
        var answer = new byte[RejectAnswer.MaxBytes];
        var allocated = new PacketAtHook { Hook = Hook.Forward, Packet = packet }.With((in PacketContext context) =>
        {
            // The runtime allocates for itself now and then; what allocates each time does so in every round.
            var least = long.MaxValue;
            for (var round = 0; round < 6; round++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var i = 0; i < 1000; i++)
                    RejectAnswer.Write(i % 2 == 0 ? RejectType.TcpReset : RejectType.IcmpHostProhibited, in context, default, answer);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }
            return least;
        });
        Assert.Equal(0, allocated);
    }

    private static string SourceOf(IpFamily family, string from, string to)
    {
        var answer = new byte[RejectAnswer.MaxBytes];
        var packet = PacketBuilder.Udp(PacketAddresses.Parse(from, to), 1, 2);
        var type = family == IpFamily.IPv4 ? RejectType.IcmpPortUnreachable : RejectType.Icmp6PortUnreachable;
        var length = new PacketAtHook { Hook = Hook.Forward, Packet = packet }
            .With((in PacketContext context) => RejectAnswer.Write(type, in context, default, answer));
        return length == 0 ? "" : IpAddress.ReadIPv4(answer.AsSpan(12)).ToString(IpFamily.IPv4);
    }

    private static void Check(RejectKernel kernel, bool tcp, string from, string to, bool answered, LinkHeader link = default)
    {
        var addresses = PacketAddresses.Parse(from, to);
        var isIPv6 = addresses.Family == IpFamily.IPv6;
        var packet = tcp ? PacketBuilder.Tcp(addresses, 1000, 2000, TcpFlags.Syn, sequence: 5) : PacketBuilder.Udp(addresses, 1000, 2000);
        kernel.Referee.ZeroCounters();

        var expected = kernel.Ask(packet);

        // A packet that no rule saw would prove nothing.
        Assert.Matches(@"\[1:[0-9]+\] -A INPUT .*-j REJECT", kernel.Referee.SaveRules(isIPv6));
        Assert.True(answered == expected.Length > 0, $"{(tcp ? "TCP" : "UDP")} to {to}: the kernel answered {expected.Length} bytes");
        var type = tcp ? RejectType.TcpReset : isIPv6 ? RejectType.Icmp6PortUnreachable : RejectType.IcmpPortUnreachable;
        var actual = kernel.Answer(type, Hook.Input, packet, expected, link);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(actual));
    }

    private static string WithoutQuotedChecksum(byte[] answer)
    {
        if (answer.Length == 0) return "";
        byte[] masked = [.. answer];
        var icmp = masked.AsSpan((masked[0] & 15) * 4);
        icmp.Slice(2, 2).Clear();
        icmp.Slice(8 + 10, 2).Clear();
        return Convert.ToHexString(masked);
    }

    /// <summary>The milliseconds that an answer wrote into a timestamp option, or 0.</summary>
    private static uint TimeIn(byte[] answer)
    {
        var options = answer.AsSpan(20, (answer[0] & 15) * 4 - 20);
        var at = options.IndexOf((byte)0x44);
        if (at < 0 || options[at + 2] < 9) return 0;
        return BinaryPrimitives.ReadUInt32BigEndian(options[(at + options[at + 2] - 5)..]);
    }
}
