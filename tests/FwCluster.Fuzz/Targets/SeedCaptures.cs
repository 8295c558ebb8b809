using FwCluster.Capture.Files;
using FwCluster.Packets;

namespace FwCluster.Fuzz.Targets;

/// <summary>Seeds from the example captures.</summary>
internal static class SeedCaptures
{
    /// <summary>The files.</summary>
    public static IEnumerable<byte[]> Files => FuzzTargets.SeedFiles("capture");

    /// <summary>The IP packets of the example captures.</summary>
    public static List<byte[]> Packets()
    {
        var packets = new List<byte[]>();
        foreach (var file in Files)
        {
            using var reader = CaptureFileReader.Open(new MemoryStream(file));
            while (reader.TryRead(out var packet))
            {
                if (LinkLayer.TryDecode(packet.Interface.Link, packet.Data, out var link)) packets.Add(packet.Data[link.NetworkOffset..].ToArray());
            }
        }
        return packets;
    }

    /// <summary>A small capture of the older format.</summary>
    /// <param name="link">What its frames begin with.</param>
    /// <param name="frames">The frames.</param>
    public static byte[] Pcap(LinkType link, IEnumerable<byte[]> frames)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(0xa1b2c3d4);
        writer.Write((ushort)2);
        writer.Write((ushort)4);
        writer.Write(0L);
        writer.Write(262144);
        writer.Write((int)link);
        var second = 1_700_000_000;
        foreach (var frame in frames)
        {
            writer.Write(second++);
            writer.Write(0);
            writer.Write(frame.Length);
            writer.Write(frame.Length);
            writer.Write(frame);
        }
        return stream.ToArray();
    }
}
