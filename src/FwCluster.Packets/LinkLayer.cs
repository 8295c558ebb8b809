using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace FwCluster.Packets;

/// <summary>Finds the network header behind a link-layer header. Does not allocate; never throws for what a frame holds.</summary>
public static class LinkLayer
{
    private const ushort EtherTypeIPv4 = 0x0800;
    private const ushort EtherTypeIPv6 = 0x86dd;
    private const int EthernetBytes = 14;
    private const int VlanTagBytes = 4;
    private const int CookedV1Bytes = 16;
    private const int CookedV2Bytes = 20;
    private const int LoopbackBytes = 4;
    private const int MacBytes = 6;

    /// <summary>True for a link type this product reads.</summary>
    public static bool IsSupported(LinkType link) => Enum.IsDefined(link);

    /// <summary>Decodes the link header of a frame; false where the frame is too short for one, or its protocol is not IP.</summary>
    public static bool TryDecode(LinkType link, ReadOnlySpan<byte> frame, out LinkHeader header)
    {
        header = default;
        return link switch
        {
            LinkType.Ethernet => TryDecodeEthernet(frame, ref header),
            LinkType.LinuxSll => TryDecodeCookedV1(frame, ref header),
            LinkType.LinuxSll2 => TryDecodeCookedV2(frame, ref header),
            LinkType.Null or LinkType.Loop => TryDecodeLoopback(frame, ref header),
            LinkType.Raw or LinkType.Raw12 or LinkType.Raw14 => TryDecodeRaw(frame, ref header),
            LinkType.IPv4 => TryDecodeIp(EtherTypeIPv4, ref header),
            LinkType.IPv6 => TryDecodeIp(EtherTypeIPv6, ref header),
            _ => false,
        };
    }

    private static bool TryDecodeEthernet(ReadOnlySpan<byte> frame, ref LinkHeader header)
    {
        if (frame.Length < EthernetBytes) return false;
        header.HasSourceMac = true;
        header.SourceMac = ReadMac(frame[MacBytes..]);
        header.HasDestinationMac = true;
        header.DestinationMac = ReadMac(frame);
        // The lowest bit of the first byte means a group; all ones is everybody (IEEE 802).
        if ((frame[0] & 1) != 0)
            header.PacketType = header.DestinationMac == 0xffff_ffff_ffff ? LinkPacketType.Broadcast : LinkPacketType.Multicast;
        return TrySkipVlanTags(frame, BinaryPrimitives.ReadUInt16BigEndian(frame[12..]), EthernetBytes, ref header);
    }

    private static bool TryDecodeCookedV1(ReadOnlySpan<byte> frame, ref LinkHeader header)
    {
        if (frame.Length < CookedV1Bytes) return false;
        ReadCookedAddress(
            packetType: BinaryPrimitives.ReadUInt16BigEndian(frame),
            addressLength: BinaryPrimitives.ReadUInt16BigEndian(frame[4..]),
            address: frame[6..],
            ref header);
        return TrySkipVlanTags(frame, BinaryPrimitives.ReadUInt16BigEndian(frame[14..]), CookedV1Bytes, ref header);
    }

    private static bool TryDecodeCookedV2(ReadOnlySpan<byte> frame, ref LinkHeader header)
    {
        if (frame.Length < CookedV2Bytes) return false;
        ReadCookedAddress(packetType: frame[10], addressLength: frame[11], address: frame[12..], ref header);
        return TrySkipVlanTags(frame, BinaryPrimitives.ReadUInt16BigEndian(frame), CookedV2Bytes, ref header);
    }

    private static void ReadCookedAddress(int packetType, int addressLength, ReadOnlySpan<byte> address, ref LinkHeader header)
    {
        if (packetType <= (int)LinkPacketType.Outgoing) header.PacketType = (LinkPacketType)packetType;
        if (addressLength != MacBytes) return;
        header.HasSourceMac = true;
        header.SourceMac = ReadMac(address);
    }

    /// <summary>The number of IPv6's address family is the writer's system's own: BSDs have 24, 28 and 30, Linux 10. It is small, so the
    /// writer's byte order shows in where the zeroes are.</summary>
    private static bool TryDecodeLoopback(ReadOnlySpan<byte> frame, ref LinkHeader header)
    {
        if (frame.Length < LoopbackBytes) return false;
        header.NetworkOffset = LoopbackBytes;
        var family = BinaryPrimitives.ReadUInt32BigEndian(frame);
        if (family > ushort.MaxValue) family = BinaryPrimitives.ReverseEndianness(family);
        return family switch
        {
            2 => TryDecodeIp(EtherTypeIPv4, ref header),
            10 or 24 or 28 or 30 => TryDecodeIp(EtherTypeIPv6, ref header),
            _ => false,
        };
    }

    private static bool TryDecodeRaw(ReadOnlySpan<byte> frame, ref LinkHeader header)
    {
        if (frame.IsEmpty) return false;
        return (frame[0] >> 4) switch
        {
            4 => TryDecodeIp(EtherTypeIPv4, ref header),
            6 => TryDecodeIp(EtherTypeIPv6, ref header),
            _ => false,
        };
    }

    private static bool TryDecodeIp(ushort etherType, ref LinkHeader header)
    {
        header.EtherType = etherType;
        return true;
    }

    /// <summary>IEEE 802.1Q and 802.1ad tags, and 0x9100, which QinQ had before it was a standard.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySkipVlanTags(ReadOnlySpan<byte> frame, ushort etherType, int offset, ref LinkHeader header)
    {
        while (etherType is 0x8100 or 0x88a8 or 0x9100)
        {
            if (frame.Length < offset + VlanTagBytes) return false;
            header.VlanId = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame[offset..]) & 0xfff);
            etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[(offset + 2)..]);
            offset += VlanTagBytes;
        }
        header.NetworkOffset = offset;
        header.EtherType = etherType;
        return etherType is EtherTypeIPv4 or EtherTypeIPv6;
    }

    private static ulong ReadMac(ReadOnlySpan<byte> bytes)
        => (ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32 | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);
}
