using System.Diagnostics;
using System.Text;
using FwCluster.Capture.Files;

namespace FwCluster.Capture.Tests;

public class CaptureAnnotatorTests
{
    private static readonly byte[] Frame = [.. Enumerable.Range(0, 62).Select(i => (byte)i)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAnnotatedPcapHasItsPacketsTimesAndComments(bool bigEndian)
    {
        var capture = new CaptureBuilder(bigEndian).PcapHeader(113, nanoseconds: true, snapLength: 96)
            .PcapPacket(1_700_000_000, 123_456_789, Frame).PcapPacket(1_700_000_001, 1, Frame.AsSpan(0, 21), wireLength: 1500).ToArray();

        var copy = Annotate(capture, out var lines);

        var (before, after) = (ReadCapture.From(capture), ReadCapture.From(copy));
        Assert.Null(after.Break);
        Assert.Equal(before.Packets.Select(Line), after.Packets.Select(Line));
        Assert.Equal(["1\t1700000000.123456789\t62\t62\tcomment 1", "2\t1700000001.000000001\t1500\t21\tcomment 2"], lines);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAnnotatedPcapngKeepsWhatItHad(bool bigEndian)
    {
        var capture = new CaptureBuilder(bigEndian).Section().Interface(1, "eth0").Interface(101, "tun0", resolution: 9)
            .Packet(0, 1_700_000_000_000_001, Frame)
            .Block(4, [0, 0, 0, 0])
            .Packet(1, 1_700_000_000_000_000_002, Frame, wireLength: 100, comment: "from before")
            .OldPacket(1, 1_700_000_000_000_000_003, Frame.AsSpan(0, 5))
            .SimplePacket(Frame.AsSpan(0, 7))
            .Section().Interface(113, "any").Packet(0, 4, Frame).ToArray();

        var copy = Annotate(capture, out var lines);

        var (before, after) = (ReadCapture.From(capture), ReadCapture.From(copy));
        Assert.Null(after.Break);
        Assert.Equal(before.Packets.Select(Line), after.Packets.Select(Line));
        Assert.Equal(
            ["comment 1", "from before,comment 2", "comment 3", "comment 4", "comment 5"], lines.Select(line => line.Split('\t')[4]));
    }

    [Fact]
    public void ACaptureThatBreaksIsCopiedUpToThere()
    {
        var capture = new CaptureBuilder(false).Section().Interface().Packet(0, 1, Frame).Packet(0, 2, Frame).ToArray();
        Annotate(capture[..^7], out var lines);
        Assert.Single(lines);
    }

    [Fact]
    public void WithoutCommitNothingAppearsAndWhatWasThereStays()
    {
        using var folder = new TemporaryFolder();
        var target = folder.Write("out.pcapng", [1, 2, 3]);
        using (var reader = CaptureFileReader.Open(new MemoryStream(new CaptureBuilder(false).PcapHeader().PcapPacket(1, 1, Frame).ToArray())))
        using (CaptureAnnotator.Attach(reader, target))
        {
            Assert.True(reader.TryRead(out _));
        }
        Assert.Equal([1, 2, 3], File.ReadAllBytes(target));
        Assert.Equal([target], Directory.GetFileSystemEntries(folder.Path));
    }

    private static byte[] Annotate(byte[] capture, out string[] lines)
    {
        using var folder = new TemporaryFolder();
        var target = folder.File("out.pcapng");
        using (var reader = CaptureFileReader.Open(new MemoryStream(capture)))
        using (var annotator = CaptureAnnotator.Attach(reader, target))
        {
            while (reader.TryRead(out var packet)) annotator.Annotate(packet, Encoding.UTF8.GetBytes($"comment {packet.Number}"));
            annotator.Commit();
        }
        lines = ByTshark(target);
        return File.ReadAllBytes(target);
    }

    private static string[] ByTshark(string path)
    {
        using var tshark = Process.Start(new ProcessStartInfo("tshark", [
            "-r", path, "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len",
            "-e", "frame.comment"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = tshark.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = tshark.StandardOutput.ReadToEnd();
        tshark.WaitForExit();
        Assert.True(tshark.ExitCode == 0, $"tshark: {error.Result}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Line(ReadCapture.Packet packet)
        => $"{packet.Timestamp} {packet.Link} {packet.Name} {packet.WireLength} {Convert.ToHexString(packet.Data)}";
}
