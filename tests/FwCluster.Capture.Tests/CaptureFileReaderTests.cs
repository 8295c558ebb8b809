using FwCluster.Capture.Files;
using FwCluster.Packets;

namespace FwCluster.Capture.Tests;

public class CaptureFileReaderTests
{
    private static readonly byte[] Frame = [.. Enumerable.Range(0, 61).Select(i => (byte)i)];

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void PcapInEitherByteOrderAndResolution(bool bigEndian, bool nanoseconds)
    {
        var capture = new CaptureBuilder(bigEndian).PcapHeader(101, nanoseconds)
            .PcapPacket(1_700_000_000, 123_456, Frame).PcapPacket(1_700_000_001, 7, Frame.AsSpan(0, 20), wireLength: 1500).ToArray();

        var read = ReadCapture.From(capture);

        Assert.Null(read.Break);
        Assert.Equal(2, read.Packets.Count);
        Assert.Equal(1_700_000_000_000_000_000 + (nanoseconds ? 123_456 : 123_456_000), read.Packets[0].Timestamp);
        Assert.Equal(LinkType.Raw, read.Packets[0].Link);
        Assert.Equal(Frame, read.Packets[0].Data);
        Assert.Equal(61u, read.Packets[0].WireLength);
        Assert.Equal(20, read.Packets[1].Data.Length);
        Assert.Equal(1500u, read.Packets[1].WireLength);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PcapngWithSeveralSectionsInterfacesAndKindsOfPacket(bool bigEndian)
    {
        var capture = new CaptureBuilder(bigEndian).Section().Interface(1, "eth0").Interface(101, "tun0", resolution: 9)
            .Packet(0, 1_700_000_000_000_001, Frame)
            .Block(0x0bad, "something a reader skips"u8)
            .Packet(1, 1_700_000_000_000_000_002, Frame, wireLength: 100, comment: "from before")
            .OldPacket(1, 1_700_000_000_000_000_003, Frame.AsSpan(0, 5))
            .SimplePacket(Frame.AsSpan(0, 6));
        var other = new CaptureBuilder(!bigEndian).Section().Interface(113, "any", resolution: 0x80 | 10).Packet(0, 1024 * 5, Frame);

        var read = ReadCapture.From([.. capture.ToArray(), .. other.ToArray()]);

        Assert.Null(read.Break);
        Assert.Equal(
            [1_700_000_000_000_001_000, 1_700_000_000_000_000_002, 1_700_000_000_000_000_003, 0, 5_000_000_000],
            read.Packets.Select(p => p.Timestamp));
        Assert.Equal(["eth0", "tun0", "tun0", "eth0", "any"], read.Packets.Select(p => p.Name));
        Assert.Equal(
            [LinkType.Ethernet, LinkType.Raw, LinkType.Raw, LinkType.Ethernet, LinkType.LinuxSll], read.Packets.Select(p => p.Link));
        Assert.Equal([61u, 100u, 5u, 6u, 61u], read.Packets.Select(p => p.WireLength));
        Assert.Equal([61, 61, 5, 6, 61], read.Packets.Select(p => p.Data.Length));
    }

    [Fact]
    public void APacketLongerThanTheFirstBufferComesWhole()
    {
        var large = new byte[CaptureFileReader.MaxPacketLength];
        new Random(1).NextBytes(large);
        var capture = new CaptureBuilder(false).PcapHeader().PcapPacket(1, 0, Frame).PcapPacket(2, 0, large).PcapPacket(3, 0, Frame).ToArray();

        var read = ReadCapture.From(new TricklingStream(capture, 4093));

        Assert.Null(read.Break);
        Assert.Equal(large, read.Packets[1].Data);
        Assert.Equal(Frame, read.Packets[2].Data);
    }

    [Fact]
    public void APipeThatGivesOneByteAtATimeIsReadLikeAFile()
    {
        var capture = new CaptureBuilder(false).Section().Interface().Packet(0, 5, Frame).Packet(0, 6, Frame).ToArray();
        Assert.Equal(2, ReadCapture.From(new TricklingStream(capture, 1)).Packets.Count);
    }

    [Fact]
    public void WhatIsNoCaptureIsSaid()
    {
        static string Error(byte[] bytes) => Assert.Throws<CaptureFormatException>(() => ReadCapture.From(bytes)).Message;

        Assert.Contains("empty", Error([]), StringComparison.Ordinal);
        Assert.Contains("gunzip", Error([0x1f, 0x8b, 8, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("neither pcap nor pcapng: it begins with 2a66696c", Error("*filter\n"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("4 of the 24 bytes", Error([0xd4, 0xc3, 0xb2, 0xa1]), StringComparison.Ordinal);
        Assert.Contains("10 of the 28 bytes", Error([0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2]), StringComparison.Ordinal);
        var old = new CaptureBuilder(false).U32(0xa1b2c3d4).U16(1).U16(0).U8(new byte[16]).ToArray();
        Assert.Contains("version 1", Error(old), StringComparison.Ordinal);
    }

    [Fact]
    public void ACaptureCutAnywhereGivesThePacketsBeforeTheCutAndSaysWhereItIs()
    {
        var pcap = new CaptureBuilder(false).PcapHeader();
        var ends = new List<int> { pcap.Length };
        for (var i = 0; i < 3; i++) ends.Add(pcap.PcapPacket(1, 0, Frame.AsSpan(0, 10 + i)).Length);
        CutEverywhere(pcap.ToArray(), ends);

        var pcapng = new CaptureBuilder(true).Section().Interface(1, "eth0");
        ends = [pcapng.Length];
        for (var i = 0; i < 3; i++) ends.Add(pcapng.Packet(0, 1, Frame.AsSpan(0, 10 + i), comment: "x").Length);
        CutEverywhere(pcapng.ToArray(), ends);
    }

    private static void CutEverywhere(byte[] capture, List<int> ends)
    {
        for (var cut = ends[0]; cut <= capture.Length; cut++)
        {
            var read = ReadCapture.From(capture[..cut]);
            var whole = ends.FindLastIndex(end => end <= cut);
            Assert.Equal(whole, read.Packets.Count);
            if (ends[whole] == cut)
            {
                Assert.Null(read.Break);
                continue;
            }
            Assert.NotNull(read.Break);
            Assert.Equal(whole + 1, read.Break.Packet);
            Assert.Equal(ends[whole], read.Break.Offset);
            Assert.Contains($"ends after ", read.Break.Reason, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0xffff_ffff)]
    [InlineData(0x7fff_ffff)]
    [InlineData(262_145)]
    public void ALengthThatLiesCostsNoMemory(uint length)
    {
        var pcap = new CaptureBuilder(false).PcapHeader().PcapPacket(1, 0, Frame).U32(1).U32(0).U32(length).U32(length).U8(Frame).ToArray();
        var pcapng = new CaptureBuilder(false).Section().Interface().Packet(0, 1, Frame).U32(6).U32(length).U8(Frame).ToArray();
        // A block whose content claims more than the block.
        var inner = new CaptureBuilder(false).Section().Interface().Packet(0, 1, Frame)
            .U32(6).U32(32).U32(0).U32(0).U32(0).U32(length).U32(length).U32(32).ToArray();
        foreach (var capture in new[] { pcap, pcapng, inner })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var read = ReadCapture.From(capture);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            Assert.Single(read.Packets);
            Assert.NotNull(read.Break);
            Assert.Equal(2, read.Break.Packet);
        }
    }

    [Fact]
    public void WhatIsBrokenIsNamed()
    {
        static string Reason(CaptureBuilder capture) => ReadCapture.From(capture.ToArray()).Break?.Reason ?? "";
        CaptureBuilder Begin() => new CaptureBuilder(false).Section().Interface().Packet(0, 1, Frame);

        Assert.Equal("the packet is of interface 7; the section has described 1 so far", Reason(Begin().Packet(7, 1, Frame)));
        Assert.Equal("the block says 12 bytes before and 16 behind its content", Reason(Begin().U32(9).U32(12).U32(16)));
        Assert.StartsWith("the block says it has 13 bytes", Reason(Begin().U32(9).U32(13).U32(13).U32(0)), StringComparison.Ordinal);
        Assert.StartsWith("the section header's byte order mark", Reason(Begin().Block(0x0a0d0d0a, new byte[16])), StringComparison.Ordinal);
        Assert.StartsWith("reading failed: the disk is gone", Reason2(), StringComparison.Ordinal);

        string Reason2()
        {
            using var stream = new TricklingStream(Begin().ToArray(), 1000) { FailAtEnd = new IOException("the disk is gone") };
            return ReadCapture.From(stream).Break?.Reason ?? "";
        }
    }

    [Fact]
    public void ReadingDoesNotAllocate()
    {
        var builder = new CaptureBuilder(false).Section().Interface(1, "eth0", 9);
        for (var i = 0; i < 10_000; i++) builder.Packet(0, (ulong)i, Frame, comment: "c");
        using var reader = CaptureFileReader.Open(new MemoryStream(builder.ToArray()));
        // The least of several rounds: a collection on another thread shifts the count.
        var least = long.MaxValue;
        for (var round = 0; round < 10; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1_000; i++) reader.TryRead(out _);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
        Assert.Equal(10_000, reader.PacketCount);
    }
}
