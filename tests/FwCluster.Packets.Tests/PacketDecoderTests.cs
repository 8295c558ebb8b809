using System.Runtime.CompilerServices;
using CsCheck;

namespace FwCluster.Packets.Tests;

public class PacketDecoderTests
{
    /// <summary>A SYN as a Linux client sends it, captured on the wire.</summary>
    private static readonly byte[] Syn = Convert.FromHexString(
        "4500003c1c4640004006b1e60a0000010a000002d4310015e3a1b2c3000000" + "00a002faf0" + "00000000" + "020405b40402080a00112233000000000103030e");

    [Fact]
    public void HeadersTakeLittleRoom() => Assert.True(Unsafe.SizeOf<PacketHeaders>() <= 104, $"{Unsafe.SizeOf<PacketHeaders>()} bytes");

    [Fact]
    public void TcpOverIPv4()
    {
        var packet = Syn.ToArray();
        PacketBuilder.FixHeaderChecksum(packet);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.Equal("10.0.0.1", headers.Source.ToString(IpFamily.IPv4));
        Assert.Equal("10.0.0.2", headers.Destination.ToString(IpFamily.IPv4));
        Assert.Equal((IpFamily.IPv4, IpProtocol.Tcp, 64, 0), (headers.Family, headers.Protocol, headers.Ttl, headers.Tos));
        Assert.Equal((54321, 21), (headers.SourcePort, headers.DestinationPort));
        Assert.Equal((0xe3a1b2c3, 0u, 0xfaf0), (headers.TcpSequence, headers.TcpAcknowledgment, headers.TcpWindow));
        Assert.Equal((TcpFlags.Syn, TransportHeader.Whole), (headers.TcpFlags, headers.Transport));
        Assert.Equal((60, 20, 60, 0), (headers.TotalLength, headers.TransportOffset, headers.PayloadOffset, headers.PayloadLength));
        Assert.Equal((NetworkTraits.DontFragment, 0x1c46u), (headers.Traits, headers.FragmentId));
        Assert.Equal(14, TcpOptions.WindowScale(packet.AsSpan(40), out var sackPermitted));
        Assert.True(sackPermitted);
        Assert.Equal(1460, TcpOptions.MaximumSegmentSize(packet.AsSpan(40)));
    }

    [Fact]
    public void PaddingBehindAPacketIsIgnored()
    {
        var packet = PacketBuilder.IPv4(IpProtocol.Udp, "10.0.0.1", "10.0.0.2", PacketBuilder.Udp(1, 2, 4));
        Array.Resize(ref packet, 46);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.Equal((32, 4, TransportHeader.Whole), (headers.TotalLength, headers.PayloadLength, headers.Transport));
    }

    [Theory]
    [InlineData(1000, 40, TransportHeader.Whole)]
    [InlineData(1000, 39, TransportHeader.Malformed)]
    [InlineData(1000, 20, TransportHeader.Malformed)]
    public void ACutCaptureKeepsItsWireLength(int payload, int captured, TransportHeader transport)
    {
        var packet = PacketBuilder.IPv4(IpProtocol.Tcp, "10.0.0.1", "10.0.0.2", PacketBuilder.Tcp(1, 2, 3, 4, 0x10, payload: payload));
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet.AsSpan(0, captured), packet.Length, out var headers));
        Assert.Equal((1040, transport), (headers.TotalLength, headers.Transport));
        if (transport == TransportHeader.Whole) Assert.Equal(payload, headers.PayloadLength);
    }

    [Fact]
    public void HeadersThatLieAreBad()
    {
        var right = PacketBuilder.IPv4(IpProtocol.Udp, "10.0.0.1", "10.0.0.2", PacketBuilder.Udp(1, 2));
        Assert.Equal(DecodeResult.Ok, Decode(right));
        Assert.Equal(DecodeResult.BadHeader, Decode(right[..^1]));
        Assert.Equal(DecodeResult.BadHeader, Decode(right[..19]));
        Assert.Equal(DecodeResult.BadHeader, Decode(Changed(right, 0, 0x44)));
        Assert.Equal(DecodeResult.BadHeader, Decode(Changed(right, 3, 19)));
        Assert.Equal(DecodeResult.BadHeader, Decode(Changed(right, 10, (byte)(right[10] ^ 1), fixChecksum: false)));
        Assert.Equal(DecodeResult.NotIp, Decode(Changed(right, 0, 0x55)));
        Assert.Equal(DecodeResult.NotIp, Decode([]));
        var six = PacketBuilder.IPv6(IpProtocol.Udp, "fd00::1", "fd00::2", PacketBuilder.Udp(1, 2));
        Assert.Equal(DecodeResult.Ok, Decode(six));
        Assert.Equal(DecodeResult.BadHeader, Decode(six[..^1]));
        Assert.Equal(DecodeResult.BadHeader, Decode(PacketBuilder.IPv6(IpProtocol.Udp, "ff02::1", "fd00::2", PacketBuilder.Udp(1, 2))));
    }

    [Fact]
    public void AJumbogramSaysItsLengthInAnOption()
    {
        var payload = new byte[8 + 70_000];
        Convert.FromHexString("1100c204").CopyTo(payload, 0);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), payload.Length);
        PacketBuilder.Udp(7, 8, length: 9).CopyTo(payload, 8);
        var packet = PacketBuilder.IPv6(IpProtocol.HopByHop, "fd00::1", "fd00::2", payload);
        packet[4] = packet[5] = 0;
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length + 3, out var headers));
        Assert.Equal((40 + payload.Length, 48, 7), (headers.TotalLength, headers.TransportOffset, headers.SourcePort));
        Assert.Equal(DecodeResult.BadHeader, PacketDecoder.Decode(packet, packet.Length - 1, out _));
    }

    [Fact]
    public void ExtensionHeadersLeadToTheTransport()
    {
        byte[] extensions =
        [
            IpProtocol.Routing, 0, 1, 4, 0, 0, 0, 0, // hop-by-hop with padding
            IpProtocol.Ah, 0, 4, 0, 0, 0, 0, 0,
            IpProtocol.Fragment, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
            IpProtocol.DestinationOptions, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef,
            IpProtocol.Tcp, 0, 1, 4, 0, 0, 0, 0,
        ];
        var packet = PacketBuilder.IPv6(IpProtocol.HopByHop, "fd00::1", "fd00::2",
            [.. extensions, .. PacketBuilder.Tcp(1000, 2000, 3, 4, 0x12)], trafficClass: 0xb8);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.Equal((IpProtocol.Tcp, 40 + extensions.Length, 2000), (headers.Protocol, headers.TransportOffset, headers.DestinationPort));
        Assert.Equal(NetworkTraits.ExtensionHeaders | NetworkTraits.FragmentHeader | NetworkTraits.MoreFragments, headers.Traits);
        Assert.Equal((0xdeadbeef, 0xb8), (headers.FragmentId, headers.Tos));
    }

    [Fact]
    public void ALaterFragmentHasNoTransport()
    {
        var four = PacketBuilder.IPv4(IpProtocol.Tcp, "10.0.0.1", "10.0.0.2", PacketBuilder.Tcp(1, 2, 3, 4, 0x12), fragment: 0x2002);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(four, four.Length, out var headers));
        Assert.Equal((TransportHeader.None, 16, 0, true), (headers.Transport, headers.FragmentOffset, headers.SourcePort, headers.IsFragment));
        var six = PacketBuilder.IPv6Fragment(IpProtocol.Tcp, "fd00::1", "fd00::2", PacketBuilder.Tcp(1, 2, 3, 4, 0x12), 16, true, 5);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(six, six.Length, out headers));
        Assert.Equal((TransportHeader.None, 16, 0, true), (headers.Transport, headers.FragmentOffset, headers.SourcePort, headers.IsFragment));
        Assert.Equal(IpProtocol.Tcp, headers.Protocol);
    }

    [Theory]
    [InlineData(IpProtocol.Icmp, "0800abcd12345678", 0x1234, 0x0800)]
    [InlineData(IpProtocol.Icmp, "0301000000000576", 0, 0x0301)]
    [InlineData(IpProtocol.Sctp, "000100020000000000000000", 1, 2)]
    [InlineData(IpProtocol.Gre, "0000080045000000", 0, 0)]
    [InlineData(IpProtocol.Gre, "3001880b00044321", 0, 0x4321)]
    [InlineData(IpProtocol.UdpLite, "00010002000812ab", 1, 2)]
    [InlineData(IpProtocol.Dccp, "000100020000000000000000", 0, 0)]
    [InlineData(99, "0001000200000000", 0, 0)]
    public void TuplesAreTheKernels(byte protocol, string transport, int source, int destination)
    {
        var packet = PacketBuilder.IPv4(protocol, "10.0.0.1", "10.0.0.2", Convert.FromHexString(transport));
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.Equal((source, destination), (headers.Tuple.SourcePort, headers.Tuple.DestinationPort));
        Assert.NotEqual(TransportHeader.Malformed, headers.Transport);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, "0001000200000001000000004010ffff00000000")] // data offset 16
    [InlineData(IpProtocol.Tcp, "0001000200000001000000006010ffff00000000")] // data offset 24 of 20
    [InlineData(IpProtocol.Tcp, "00010002")]
    [InlineData(IpProtocol.Udp, "0001000200070000")]
    [InlineData(IpProtocol.Udp, "0001000200090000")]
    [InlineData(IpProtocol.UdpLite, "0001000200080000")] // no checksum
    [InlineData(IpProtocol.UdpLite, "0001000200070001")]
    [InlineData(IpProtocol.Icmp, "08000000000000")]
    [InlineData(IpProtocol.Sctp, "0001000200000000000000")]
    [InlineData(IpProtocol.Gre, "3001080000044321")] // version 1, but not PPP
    public void TransportsThatLieAreMalformed(byte protocol, string transport)
    {
        var packet = PacketBuilder.IPv4(protocol, "10.0.0.1", "10.0.0.2", Convert.FromHexString(transport));
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        Assert.Equal(TransportHeader.Malformed, headers.Transport);
        if (protocol is IpProtocol.Tcp or IpProtocol.Udp) Assert.Equal((1, 2), (headers.SourcePort, headers.DestinationPort));
    }

    [Fact]
    public void AnErrorQuotesEightBytesOfTransport()
    {
        var tcp = PacketBuilder.IPv4(IpProtocol.Tcp, "10.0.0.1", "10.0.0.2", PacketBuilder.Tcp(1000, 21, 77, 0, 2, payload: 500));
        tcp[10] ^= 0xff;
        Assert.Equal(DecodeResult.Ok, PacketDecoder.DecodeQuoted(tcp.AsSpan(0, 28), out var headers));
        Assert.Equal((1000, 21, 77u), (headers.SourcePort, headers.DestinationPort, headers.TcpSequence));
        Assert.Equal((TransportHeader.Whole, 540), (headers.Transport, headers.TotalLength));

        Assert.Equal(DecodeResult.Ok, PacketDecoder.DecodeQuoted(tcp.AsSpan(0, 23), out headers));
        Assert.Equal(TransportHeader.Malformed, headers.Transport);
        Assert.Equal(DecodeResult.BadHeader, PacketDecoder.DecodeQuoted(tcp.AsSpan(0, 19), out _));

        var udp = PacketBuilder.IPv6(IpProtocol.Udp, "fd00::1", "fd00::2", PacketBuilder.Udp(5, 6, 900));
        Assert.Equal(DecodeResult.Ok, PacketDecoder.DecodeQuoted(udp.AsSpan(0, 48), IpFamily.IPv6, out headers));
        Assert.Equal((5, 6, TransportHeader.Whole), (headers.SourcePort, headers.DestinationPort, headers.Transport));
        var later = PacketBuilder.IPv4(IpProtocol.Udp, "10.0.0.1", "10.0.0.2", new byte[8], fragment: 5);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.DecodeQuoted(later, out headers));
        Assert.Equal(TransportHeader.None, headers.Transport);
    }

    [Fact]
    public void AnyBytesDecodeWithOffsetsInBounds()
        => Gen.Select(Gen.Byte.Array[0, 120], Gen.Int[0, 200], Gen.Byte).Sample((bytes, extra, first) =>
        {
            // Half the time something that looks like IP, so that it gets far.
            if (bytes.Length > 0 && (first & 1) == 0) bytes[0] = (byte)((first & 2) == 0 ? 0x45 : 0x60);
            if (bytes.Length >= 20 && bytes[0] >> 4 == 4) PacketBuilder.FixHeaderChecksum(bytes);
            CheckBounds(bytes, extra);
        }, iter: 20_000);

    [Fact]
    public void ChangedPacketsDecodeWithOffsetsInBounds()
        => Gen.Int.Sample(seed =>
        {
            var random = new Random(seed);
            var packet = RandomPackets.Next(random);
            CheckBounds(packet, 0);
            CheckBounds(packet[..random.Next(packet.Length + 1)], packet.Length);
        }, iter: 20_000);

    private static void CheckBounds(byte[] bytes, int extra)
    {
        foreach (var family in new[] { IpFamily.None, IpFamily.IPv4, IpFamily.IPv6 })
        {
            var result = family == IpFamily.None
                ? PacketDecoder.Decode(bytes, bytes.Length + extra, out var headers)
                : PacketDecoder.DecodeQuoted(bytes, family, out headers);
            if (result != DecodeResult.Ok) continue;
            Assert.InRange(headers.TransportOffset, 0, headers.TotalLength);
            Assert.InRange(headers.PayloadOffset, headers.TransportOffset, headers.TotalLength);
            if (headers.Transport == TransportHeader.Whole && family == IpFamily.None)
            {
                Assert.InRange(headers.PayloadOffset, headers.TransportOffset, bytes.Length);
                Assert.InRange(headers.TotalLength, 0, bytes.Length + extra);
            }
        }
    }

    private static DecodeResult Decode(byte[] packet) => PacketDecoder.Decode(packet, packet.Length, out _);

    private static byte[] Changed(byte[] packet, int index, byte value, bool fixChecksum = true)
    {
        var changed = packet.ToArray();
        changed[index] = value;
        if (fixChecksum) PacketBuilder.FixHeaderChecksum(changed);
        return changed;
    }
}
