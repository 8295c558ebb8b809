using System.Text;
using FwCluster.Differential.Engines;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Tests;

/// <summary>Every type of ICMP and ICMPv6, as a first packet, as an answer, and quoted: few enough to try them all.</summary>
public sealed class IcmpTypesTests
{
    [KernelTheory]
    [InlineData("10.1.0.1", "10.2.0.1")]
    [InlineData("2001:db8:1::1", "2001:db8:2::1")]
    public void Every_type_is_what_the_kernel_says(string source, string destination)
    {
        var there = PacketAddresses.Parse(source, destination);
        using var kernel = new KernelEngine();
        using var engine = new ConntrackEngine();
        var differences = new StringBuilder();
        for (var type = 0; type < 256; type++)
        {
            kernel.Reset(new TrackingOptions());
            engine.Reset(new TrackingOptions());
            // A quoted packet of a connection that is known, first.
            var known = PacketBuilder.Udp(there.Reversed, 5, 6, new byte[30]);
            var asked = PacketBuilder.Icmp(there, (byte)type, 0, 7 << 16 | 1, known);
            byte[][] packets =
            [
                PacketBuilder.Icmp(there, (byte)type, 0, 7 << 16 | 1, new byte[30]),
                PacketBuilder.Icmp(there, (byte)type, 3, 7 << 16 | 1, new byte[30]),
                known,
                asked,
                .. Enumerable.Range(0, 256).Select(answer => PacketBuilder.Icmp(there.Reversed, (byte)answer, 0, 7 << 16 | 1, new byte[30])),
                PacketBuilder.IcmpError(there.Reversed, (byte)(there.Family == IpFamily.IPv4 ? 3 : 1), 1, asked),
            ];
            for (var i = 0; i < packets.Length; i++)
            {
                var (expected, actual) = (kernel.Send(packets[i]), engine.Send(packets[i]));
                if (expected != actual) differences.Append($"type {type}, packet {i}: kernel {expected}, engine {actual}\n");
            }
        }
        Assert.True(differences.Length == 0, differences.ToString());
    }
}
