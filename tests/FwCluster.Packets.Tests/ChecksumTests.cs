using CsCheck;

namespace FwCluster.Packets.Tests;

public class ChecksumTests
{
    [Fact]
    public void TheSumIsThatOfRfc1071() => Assert.Equal(0xddf2, Checksum.Sum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));

    [Fact]
    public void TheSumIsThatOfSixteenBitWords() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        uint expected = 0;
        for (var index = 0; index < bytes.Length; index++)
        {
            expected += (uint)((index & 1) == 0 ? bytes[index] << 8 : bytes[index]);
            if (expected > 0xffff) expected -= 0xffff;
        }
        // Zero has two representations; a sum of something that is not all zero is never the positive one.
        Assert.Equal(expected % 0xffff, Checksum.Sum(bytes) % 0xffffu);
        if (bytes.Any(value => value != 0)) Assert.NotEqual(0, Checksum.Sum(bytes));
    });

    /// <summary>ICMP has no pseudo header: type 8, identifier 0, sequence 0 sums to what is in it.</summary>
    [Fact]
    public void IcmpChecksumsAreVerified()
    {
        var packet = PacketBuilder.IPv4(IpProtocol.Icmp, "10.0.0.1", "10.0.0.2", Convert.FromHexString("0800f7ff00000000"));
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.True(Checksum.TransportIsValid(in headers, packet));
        packet[^1] ^= 1;
        Assert.False(Checksum.TransportIsValid(in headers, packet));
    }

    [Fact]
    public void WhatIsWrittenIsValidAndAnyBitFlipIsNot()
        => Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var family = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
            byte[] protocols = [IpProtocol.Tcp, IpProtocol.Udp, family == IpFamily.IPv4 ? IpProtocol.Icmp : IpProtocol.IcmpV6];
            var protocol = protocols[random.Next(protocols.Length)];
            var payload = random.Next(100);
            var transport = protocol switch
            {
                IpProtocol.Tcp => PacketBuilder.Tcp(1, 2, 3, 4, 0x18, payload: payload),
                IpProtocol.Udp => PacketBuilder.Udp(1, 2, payload),
                _ => new byte[8 + payload],
            };
            random.NextBytes(transport.AsSpan(Math.Min(20, transport.Length)));
            var packet = family == IpFamily.IPv4
                ? PacketBuilder.IPv4(protocol, "10.0.0.1", "192.168.3.4", transport)
                : PacketBuilder.IPv6(protocol, "fd00::1", "2001:db8::ffff:1", transport);
            Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));

            Checksum.WriteTransport(in headers, packet);
            Assert.True(Checksum.TransportIsValid(in headers, packet));
            packet[random.Next(headers.TransportOffset, packet.Length)] ^= (byte)(1 << random.Next(8));
            // A flip in UDP's checksum field can make it "none".
            if (protocol == IpProtocol.Udp && packet[headers.TransportOffset + 6] == 0 && packet[headers.TransportOffset + 7] == 0) return;
            Assert.False(Checksum.TransportIsValid(in headers, packet));
        }, iter: 2000);

    [Theory]
    [InlineData("00010002000a0000" + "0102" + "0304", "fe59")] // 10 of 12 bytes are covered
    [InlineData("0001000200000000" + "0102" + "0304", "fb5f")] // all are
    public void UdpLiteIsWrittenAsRfc3828HasIt(string transport, string checksum)
    {
        var packet = PacketBuilder.IPv4(IpProtocol.UdpLite, "0.0.0.1", "0.0.0.2", Convert.FromHexString(transport));
        PacketDecoder.Decode(packet, packet.Length, out var headers);
        Checksum.WriteTransport(in headers, packet);
        Assert.Equal(checksum, Convert.ToHexStringLower(packet.AsSpan(26, 2)));
    }

    [Fact]
    public void WhatCannotBeCheckedIsNotCalledWrong()
    {
        var udp = PacketBuilder.IPv4(IpProtocol.Udp, "10.0.0.1", "10.0.0.2", PacketBuilder.Udp(1, 2, 50));
        PacketDecoder.Decode(udp, udp.Length, out var headers);
        Assert.True(Checksum.TransportIsValid(in headers, udp));
        udp[26] = 1;
        Assert.False(Checksum.TransportIsValid(in headers, udp));
        Assert.True(Checksum.TransportIsValid(in headers, udp.AsSpan(0, 40)));
        var fragment = PacketBuilder.IPv4(IpProtocol.Tcp, "10.0.0.1", "10.0.0.2", PacketBuilder.Tcp(1, 2, 3, 4, 0), fragment: 0x2000);
        PacketDecoder.Decode(fragment, fragment.Length, out headers);
        Assert.True(Checksum.TransportIsValid(in headers, fragment));
    }

    [Fact]
    public void TheHeaderChecksumIsWritten()
    {
        var packet = PacketBuilder.IPv4(99, "10.0.0.1", "10.0.0.2", [], options: [1, 1, 1, 0]);
        var right = packet.ToArray();
        packet[10] = 0x55;
        Checksum.WriteIPv4Header(packet);
        Assert.Equal(right, packet);
    }
}
