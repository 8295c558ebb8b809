using CsCheck;

namespace FwCluster.Packets.Tests;

public class LinkLayerTests
{
    private const string Macs = "020000000001" + "0200000000ab";

    [Theory]
    [InlineData(LinkType.Ethernet, Macs + "080045", 14, 0x0800, 0)]
    [InlineData(LinkType.Ethernet, Macs + "86dd60", 14, 0x86dd, 0)]
    [InlineData(LinkType.Ethernet, Macs + "8100" + "e00a" + "080045", 18, 0x0800, 10)]
    [InlineData(LinkType.Ethernet, Macs + "88a8" + "0064" + "8100" + "0007" + "86dd60", 22, 0x86dd, 7)]
    [InlineData(LinkType.Ethernet, Macs + "9100" + "0064" + "8100" + "0fff" + "0800", 22, 0x0800, 4095)]
    [InlineData(LinkType.LinuxSll, "0000" + "0001" + "0006" + "0200000000ab0000" + "080045", 16, 0x0800, 0)]
    [InlineData(LinkType.LinuxSll2, "86dd" + "0000" + "00000002" + "0001" + "00" + "06" + "0200000000ab0000" + "60", 20, 0x86dd, 0)]
    [InlineData(LinkType.Null, "0200000045", 4, 0x0800, 0)]
    [InlineData(LinkType.Null, "0000000245", 4, 0x0800, 0)]
    [InlineData(LinkType.Null, "1800000060", 4, 0x86dd, 0)]
    [InlineData(LinkType.Null, "0000001c60", 4, 0x86dd, 0)]
    [InlineData(LinkType.Null, "1e00000060", 4, 0x86dd, 0)]
    [InlineData(LinkType.Null, "0a00000060", 4, 0x86dd, 0)]
    [InlineData(LinkType.Loop, "0000001860", 4, 0x86dd, 0)]
    [InlineData(LinkType.Raw, "45", 0, 0x0800, 0)]
    [InlineData((LinkType)12, "60", 0, 0x86dd, 0)]
    [InlineData((LinkType)14, "45", 0, 0x0800, 0)]
    [InlineData(LinkType.IPv4, "45", 0, 0x0800, 0)]
    [InlineData(LinkType.IPv6, "60", 0, 0x86dd, 0)]
    public void TheNetworkHeaderIsFound(LinkType link, string hex, int offset, int etherType, int vlan)
    {
        Assert.True(LinkLayer.IsSupported(link));
        Assert.True(LinkLayer.TryDecode(link, Convert.FromHexString(hex), out var header));
        Assert.Equal((offset, etherType, vlan), (header.NetworkOffset, header.EtherType, header.VlanId));
        var hasMac = link is LinkType.Ethernet or LinkType.LinuxSll or LinkType.LinuxSll2;
        Assert.Equal((hasMac, hasMac ? 0x0200000000abUL : 0), (header.HasSourceMac, header.SourceMac));
        // A cooked capture does not keep whom the frame went to.
        var isEthernet = link == LinkType.Ethernet;
        Assert.Equal((isEthernet, isEthernet ? Convert.ToUInt64(hex[..12], 16) : 0), (header.HasDestinationMac, header.DestinationMac));
    }

    [Theory]
    [InlineData(LinkType.Ethernet, Macs + "0806")]
    [InlineData(LinkType.Ethernet, Macs + "08")]
    [InlineData(LinkType.Ethernet, Macs + "8100" + "000a" + "08")]
    [InlineData(LinkType.Ethernet, Macs + "002e" + "424203")] // 802.3 length
    [InlineData(LinkType.LinuxSll, "00000001000602000000")]
    [InlineData(LinkType.LinuxSll2, "0800000000000002000100060200")]
    [InlineData(LinkType.Null, "0700000045")]
    [InlineData(LinkType.Null, "020000")]
    [InlineData(LinkType.Raw, "")]
    [InlineData(LinkType.Raw, "50")]
    [InlineData((LinkType)147, "45")]
    public void WhatIsNotIpIsRefused(LinkType link, string hex)
        => Assert.False(LinkLayer.TryDecode(link, Convert.FromHexString(hex), out _));

    [Theory]
    [InlineData("020000000001", LinkPacketType.Host)]
    [InlineData("ffffffffffff", LinkPacketType.Broadcast)]
    [InlineData("01005e000001", LinkPacketType.Multicast)]
    public void EthernetSaysToWhom(string destination, LinkPacketType expected)
    {
        Assert.True(LinkLayer.TryDecode(LinkType.Ethernet, Convert.FromHexString(destination + "0200000000ab0800"), out var header));
        Assert.Equal(expected, header.PacketType);
    }

    [Fact]
    public void CookedCapturesSayToWhom()
    {
        Assert.True(LinkLayer.TryDecode(LinkType.LinuxSll, Convert.FromHexString("00040001000602000000" + "00ab00000800"), out var header));
        Assert.Equal(LinkPacketType.Outgoing, header.PacketType);
        Assert.True(LinkLayer.TryDecode(LinkType.LinuxSll2, Convert.FromHexString("08000000000000020304" + "0300" + "0000000000000000"), out header));
        Assert.Equal((LinkPacketType.OtherHost, false), (header.PacketType, header.HasSourceMac));
    }

    [Fact]
    public void AnyFrameIsReadWithinItsBounds()
        => Gen.Select(Gen.Enum<LinkType>(), Gen.Byte.Array[0, 40]).Sample((link, frame) =>
        {
            if (LinkLayer.TryDecode(link, frame, out var header)) Assert.InRange(header.NetworkOffset, 0, frame.Length);
        });
}
