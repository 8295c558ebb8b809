using FwCluster.Capture.Files;
using FwCluster.Packets;

namespace FwCluster.Capture.Tests;

/// <summary>A capture read to its end, its packets copied out of the reader.</summary>
internal sealed record ReadCapture(List<ReadCapture.Packet> Packets, CaptureBreak? Break)
{
    public static ReadCapture From(byte[] capture) => From(new MemoryStream(capture));

    public static ReadCapture From(Stream stream)
    {
        using var reader = CaptureFileReader.Open(stream);
        var packets = new List<Packet>();
        while (reader.TryRead(out var packet))
        {
            Assert.Equal(packets.Count + 1, packet.Number);
            packets.Add(new Packet(packet.Timestamp, packet.Interface.Link, packet.Interface.Name, packet.Data.ToArray(), packet.WireLength));
        }
        Assert.False(reader.TryRead(out _));
        return new ReadCapture(packets, reader.Break);
    }

    internal sealed record Packet(long Timestamp, LinkType Link, string? Name, byte[] Data, uint WireLength);
}
