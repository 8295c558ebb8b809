using System.Buffers.Binary;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests;

/// <summary>Reads a capture's frames by other means than the product's: <c>editcap</c> turns any format into the simplest one.</summary>
internal static class CaptureFrames
{
    private const int FileHeaderBytes = 24;
    private const int RecordHeaderBytes = 16;

    /// <summary>The Ethernet frames of a file, in order.</summary>
    public static IReadOnlyList<byte[]> Read(string file)
    {
        var simple = Path.GetTempFileName();
        try
        {
            Command.Run("editcap", ["-F", "pcap", file, simple]);
            ReadOnlySpan<byte> rest = File.ReadAllBytes(simple);
            Assert.Equal(0xa1b2c3d4, BinaryPrimitives.ReadUInt32LittleEndian(rest));
            Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(rest[20..])); // Ethernet
            rest = rest[FileHeaderBytes..];
            var frames = new List<byte[]>();
            while (!rest.IsEmpty)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(rest[8..]);
                Assert.Equal(length, BinaryPrimitives.ReadInt32LittleEndian(rest[12..])); // not cut off
                frames.Add(rest.Slice(RecordHeaderBytes, length).ToArray());
                rest = rest[(RecordHeaderBytes + length)..];
            }
            return frames;
        }
        finally
        {
            File.Delete(simple);
        }
    }
}
