using CsCheck;

namespace FwCluster.Capture.Tests;

/// <summary>Captures broken at random: no exception but "not a capture", no more packets than bytes, bounded memory.</summary>
public class CaptureFuzzTests
{
    [Fact]
    public void AnyBytesAreReadToTheirEndOrToABreak()
    {
        byte[] frame = [.. Enumerable.Range(0, 61).Select(i => (byte)i)];
        byte[][] seeds =
        [
            new CaptureBuilder(false).PcapHeader().PcapPacket(1, 0, frame).PcapPacket(1, 0, frame).ToArray(),
            new CaptureBuilder(true).Section().Interface(1, "eth0", 9).Packet(0, 1, frame, comment: "c").SimplePacket(frame)
                .OldPacket(0, 3, frame).Block(5, frame).Section().Interface(113, "any", 0x8a).Packet(0, 1, frame).ToArray(),
        ];
        byte[] edges = [0, 1, 0x7f, 0x80, 0xff];
        var value = Gen.OneOf(Gen.Byte, Gen.Int[0, edges.Length - 1].Select(i => edges[i]));
        var change = Gen.Select(Gen.Int[0, 1000], value);
        Gen.Select(Gen.Int[0, 1].Select(i => seeds[i]), change.Array[1, 8], Gen.Int[0, 1000])
            .Sample((seed, changes, cut) =>
            {
                var bytes = seed.AsSpan(0, Math.Max(0, seed.Length - Math.Max(0, cut - 700))).ToArray();
                foreach (var (at, what) in changes)
                {
                    if (at < bytes.Length) bytes[at] = what;
                }
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    Assert.InRange(ReadCapture.From(bytes).Packets.Count, 0, bytes.Length);
                }
                catch (Files.CaptureFormatException)
                {
                    // Not a capture any more: said as such.
                }
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
            }, iter: 20_000);
    }
}
