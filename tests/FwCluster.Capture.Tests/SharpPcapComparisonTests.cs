using CsCheck;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FwCluster.Capture.Tests;

/// <summary>The referee for capture files is libpcap, through SharpPcap: what it reads, this reads the same.</summary>
public class SharpPcapComparisonTests
{
    private static readonly Gen<(byte[] Data, uint Seconds, uint Fraction, uint Cut)[]> Packets =
        Gen.Select(Gen.Byte.Array[0, 300], Gen.UInt[0, 2_000_000_000], Gen.UInt[0, 999_999], Gen.UInt[0, 2000]).Array[0, 20];

    private static readonly Gen<byte[]> Captures = Gen.Select(Packets, Gen.Bool, Gen.Bool, Gen.Int[0, 3]).Select((packets, bigEndian, ng, mix) =>
    {
        var builder = new CaptureBuilder(bigEndian);
        if (ng) builder.Section().Interface(1, "eth0").Interface(1, "eth1");
        else builder.PcapHeader();
        foreach (var (data, seconds, fraction, cut) in packets)
        {
            var ticks = ((ulong)seconds * 1_000_000) + fraction;
            if (!ng) builder.PcapPacket(seconds, fraction, data, (uint)data.Length + cut);
            else if (mix == 1 && data.Length % 3 == 0) builder.OldPacket(1, ticks, data);
            else if (mix == 2 && data.Length % 3 == 0) builder.Block(4, data).Packet(0, ticks, data, comment: "here");
            else builder.Packet((uint)data.Length % 2, ticks, data, (uint)data.Length + cut);
        }
        return builder.ToArray();
    });

    [Fact]
    public void WholeCapturesReadAsLibpcapReadsThem() => Captures.Sample(AssertSame, iter: 200);

    [Fact]
    public void DamagedCapturesAreReadAsFarAsLibpcapReadsThem()
        => Gen.Select(Captures, Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Bool).Select((capture, where, what, cut) =>
        {
            // Behind the file header: what libpcap makes of a damaged snap length or link type is its own.
            var begin = capture[0] == 0x0a ? 28 + 32 + 32 : 24;
            if (capture.Length <= begin) return capture;
            var at = begin + (where % (capture.Length - begin));
            if (cut) return capture[..at];
            capture[at] = what;
            return capture;
        }).Sample(AssertNoFewer, iter: 300);

    private static void AssertSame(byte[] capture)
    {
        var (expected, failed) = ByLibpcap(capture);
        var read = ReadCapture.From(capture);
        Assert.False(failed);
        Assert.Null(read.Break);
        Assert.Equal(expected, read.Packets.Select(Line));
    }

    private static void AssertNoFewer(byte[] capture)
    {
        var (expected, failed) = ByLibpcap(capture);
        var read = ReadCapture.From(capture);
        if (!failed) Assert.Null(read.Break);
        // Without the times: libpcap takes a damaged fraction of a second for a negative one.
        Assert.Equal(expected.Select(WithoutTime), read.Packets.Take(expected.Count).Select(Line).Select(WithoutTime));
    }

    // libpcap gives microseconds here: what it was asked for.
    private static string Line(ReadCapture.Packet packet)
        => $"{packet.Timestamp / 1000} {packet.WireLength} {Convert.ToHexString(packet.Data)}";

    private static string WithoutTime(string line) => line[line.IndexOf(' ', StringComparison.Ordinal)..];

    private static (List<string> Packets, bool Failed) ByLibpcap(byte[] capture)
    {
        using var folder = new TemporaryFolder();
        using var device = new CaptureFileReaderDevice(folder.Write("capture", capture));
        device.Open();
        var packets = new List<string>();
        while (true)
        {
            var status = device.GetNextPacket(out var packet);
            if (status != GetPacketStatus.PacketRead) return (packets, status == GetPacketStatus.Error);
            var header = (PcapHeader)packet.Header;
            var time = header.Timeval;
            var wire = Math.Max(header.PacketLength, (uint)packet.Data.Length);
            packets.Add($"{(time.Seconds * 1_000_000) + time.MicroSeconds} {wire} {Convert.ToHexString(packet.Data)}");
        }
    }
}
