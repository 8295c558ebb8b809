namespace FwCluster.Packets.Tests.Kernel;

/// <summary>With nf_conntrack_checksum on, tracking calls a packet INVALID for its checksum: the same ones as here.</summary>
public class ChecksumAgainstKernelTests
{
    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void WrongChecksumsAreInvalid(IpFamily family)
    {
        Assert.SkipWhen(KernelStack.Unavailable is not null, KernelStack.Unavailable ?? "");
        using var kernel = KernelStack.Start("net.netfilter.nf_conntrack_checksum=1");
        var random = new Random(1);
        var packets = Enumerable.Range(0, 400).Select(index => Packet(random, family, (ushort)(1000 + index))).ToList();
        var seen = kernel.Exchange(packets);
        Assert.Equal(packets.Count, seen.Count);
        for (var index = 0; index < packets.Count; index++)
        {
            Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packets[index], packets[index].Length, out var headers));
            Assert.True(seen[index].IsInvalid != Checksum.TransportIsValid(in headers, packets[index]),
                $"{Convert.ToHexString(packets[index])}\nINVALID to the kernel: {seen[index].IsInvalid}");
        }
        Assert.InRange(seen.Count(packet => packet.IsInvalid), 50, 350);
    }

    /// <summary>The first packet of a connection, with a right checksum, a wrong one, or (UDP) none.</summary>
    private static byte[] Packet(Random random, IpFamily family, ushort id)
    {
        var (protocol, transport) = random.Next(4) switch
        {
            0 => (IpProtocol.Tcp, PacketBuilder.Tcp(id, 80, 1, 0, 2, payload: random.Next(30))),
            1 => (IpProtocol.Udp, PacketBuilder.Udp(id, 53, random.Next(30), length: 8)),
            2 => (IpProtocol.UdpLite, PacketBuilder.Udp(id, 53, random.Next(30), length: 0)),
            _ => family == IpFamily.IPv4
                ? (IpProtocol.Icmp, new byte[] { 8, 0, 0, 0, (byte)(id >> 8), (byte)id, 0, 1, 7 })
                : (IpProtocol.IcmpV6, new byte[] { 128, 0, 0, 0, (byte)(id >> 8), (byte)id, 0, 1, 7 }),
        };
        var packet = family == IpFamily.IPv4
            ? PacketBuilder.IPv4(protocol, "10.0.0.1", "10.0.0.2", transport)
            : PacketBuilder.IPv6(protocol, "fd00::1", "fd00::2", transport);
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        if (protocol == IpProtocol.Udp && random.Next(3) == 0) return packet;
        // As the standard has it or as tracking wants it: the kernel takes only one of them.
        if (protocol == IpProtocol.UdpLite && random.Next(2) == 0) headers.Protocol = IpProtocol.Udp;
        Checksum.WriteTransport(in headers, packet);
        if (random.Next(2) == 0) packet[headers.TransportOffset + (protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 ? 3 : 7)] ^= 4;
        return packet;
    }
}
