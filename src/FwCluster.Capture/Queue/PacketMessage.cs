using System.Buffers.Binary;
using FwCluster.Capture.Netlink;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Queue;

/// <summary>Reads a packet message: nfqnl_build_packet_message, net/netfilter/nfnetlink_queue.c.</summary>
internal static class PacketMessage
{
    private const ushort PacketHeader = 1;
    private const ushort MarkAttribute = 3;
    private const ushort Timestamp = 4;
    private const ushort InInterface = 5;
    private const ushort OutInterface = 6;
    private const ushort PhysicalIn = 7;
    private const ushort PhysicalOut = 8;
    private const ushort HardwareAddress = 9;
    private const ushort Payload = 10;
    private const ushort CapturedLength = 13;
    private const ushort Information = 14;

    private const uint ChecksumNotReady = 1;
    private const uint Segmented = 2;
    private const uint ChecksumNotVerified = 4;

    private const int EthernetAddressBytes = 6;

    /// <summary>Reads a message. Names of interfaces and a time that the kernel did not take are left to the caller.</summary>
    public static bool TryRead(Span<byte> message, out QueuedPacket packet)
    {
        packet = default;
        if (message.Length < NetlinkMessage.NetfilterHeaderBytes) return false;
        packet.Family = (IpFamily)message[NetlinkMessage.HeaderBytes];
        var identified = false;
        var attributes = new NetlinkAttributes(message[NetlinkMessage.NetfilterHeaderBytes..]);
        while (attributes.Next())
        {
            var value = attributes.Value;
            switch (attributes.Type)
            {
                case PacketHeader when value.Length >= 7:
                    packet.Id = Word(value);
                    packet.Hook = (Hook)value[6];
                    identified = true;
                    break;
                case MarkAttribute when value.Length >= 4:
                    packet.Mark = Word(value);
                    break;
                case Timestamp when value.Length >= 16:
                    packet.Time = BinaryPrimitives.ReadInt64BigEndian(value) * 1_000_000_000
                        + BinaryPrimitives.ReadInt64BigEndian(value[8..]) * 1_000;
                    break;
                case InInterface when value.Length >= 4:
                    packet.InIndex = (int)Word(value);
                    break;
                case OutInterface when value.Length >= 4:
                    packet.OutIndex = (int)Word(value);
                    break;
                case PhysicalIn when value.Length >= 4:
                    packet.PhysicalInIndex = (int)Word(value);
                    break;
                case PhysicalOut when value.Length >= 4:
                    packet.PhysicalOutIndex = (int)Word(value);
                    break;
                case HardwareAddress when value.Length >= 12 && BinaryPrimitives.ReadUInt16BigEndian(value) == EthernetAddressBytes:
                    packet.HasSourceMac = true;
                    packet.SourceMac = BinaryPrimitives.ReadUInt64BigEndian(value[4..]) >> 16;
                    break;
                case Payload:
                    packet.Bytes = value;
                    break;
                case CapturedLength when value.Length >= 4:
                    packet.Length = (int)Word(value);
                    break;
                case Information when value.Length >= 4:
                    var flags = Word(value);
                    packet.IsChecksumUnfinished = (flags & ChecksumNotReady) != 0;
                    packet.IsSegmented = (flags & Segmented) != 0;
                    packet.IsChecksumUnverified = (flags & ChecksumNotVerified) != 0;
                    break;
            }
        }
        if (packet.Length < packet.Bytes.Length) packet.Length = packet.Bytes.Length;
        return identified;
    }

    private static uint Word(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32BigEndian(value);
}
