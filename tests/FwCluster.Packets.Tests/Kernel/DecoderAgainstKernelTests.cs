using System.Globalization;
using FwCluster.Packets.Fragments;

namespace FwCluster.Packets.Tests.Kernel;

/// <summary>
/// The kernel gets the same packets, right and broken: what the decoder and the reassembler let through must be what netfilter sees, and
/// a header that the decoder calls malformed must be what tracking calls INVALID.
/// </summary>
public class DecoderAgainstKernelTests(ITestOutputHelper output)
{
    [Fact]
    public void RandomPacketsLiveAndDieAsInTheKernel()
    {
        Assert.SkipWhen(KernelStack.Unavailable is not null, KernelStack.Unavailable ?? "");
        var seed = Environment.GetEnvironmentVariable("FWCLUSTER_SEED") is { } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        output.WriteLine($"FWCLUSTER_SEED={seed}");
        var random = new Random(seed);
        using var kernel = KernelStack.Start(
            "net.ipv4.ipfrag_high_thresh=1000000000", "net.netfilter.nf_conntrack_frag6_high_thresh=1000000000");
        var reassembler = new Reassembler(
            new ReassemblyOptions { IPv4MemoryLimit = 1_000_000_000, IPv6MemoryLimit = 1_000_000_000 });
        var (seen, dropped, until) = (0, 0, DateTime.UtcNow.AddSeconds(8));

        for (var round = 0; round < 2000 && DateTime.UtcNow < until; round++)
        {
            var packets = Enumerable.Range(0, 50).Select(_ => RandomPackets.Next(random))
                .Where(packet => !DependsOnInterface(packet)).ToList();
            var expected = new Queue<SeenPacket>(kernel.Exchange(packets));
            foreach (var packet in packets)
            {
                var context = $"FWCLUSTER_SEED={seed}, round {round}: {Convert.ToHexString(packet)}";
                if (Through(reassembler, packet) is not { } passed)
                {
                    dropped++;
                    continue;
                }
                Assert.True(expected.TryDequeue(out var logged), $"{context}\npasses here, the kernel drops it");
                Assert.True(passed.AsSpan().SequenceEqual(logged.Bytes),
                    $"{context}\nkernel: {Convert.ToHexString(logged.Bytes)}\nhere:   {Convert.ToHexString(passed)}");
                CheckState(passed, logged.IsInvalid, context);
                seen++;
            }
            Assert.True(expected.Count == 0, $"FWCLUSTER_SEED={seed}, round {round}: the kernel passed what is dropped here, or held: "
                + string.Join('\n', expected.Select(logged => Convert.ToHexString(logged.Bytes))));
        }
        output.WriteLine($"{seen} packets seen by netfilter, {dropped} not");
        Assert.True(seen > 1000 && dropped > 100, "The packets were not mixed enough for the test to mean something.");
    }

    /// <summary>Packets that the kernel takes on a loopback interface only; which interface it is the decoder does not know.</summary>
    private static bool DependsOnInterface(byte[] packet)
        => PacketDecoder.Decode(packet, packet.Length, out var headers) == DecodeResult.Ok && headers.Family == IpFamily.IPv6
            && ((headers.Destination.High >> 48 & 0xff0f) == 0xff01
                || headers.Source == new IpAddress(0, 1) || headers.Destination == new IpAddress(0, 1));

    private static byte[]? Through(Reassembler reassembler, byte[] packet)
    {
        if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) return null;
        var result = reassembler.Add(in headers, packet, 0, new FragmentScope(0, false, 1), out var whole);
        if (result == FragmentResult.Untouched) return packet[..headers.TotalLength];
        if (result != FragmentResult.Whole) return null;
        using (whole) return whole.Span.ToArray();
    }

    /// <summary>Each packet is alone in its connection, more or less, so only its shape can make it INVALID. TCP, SCTP and ICMP have reasons
    /// beyond their headers, so of them only what is malformed can be told.</summary>
    private static void CheckState(byte[] packet, bool isInvalid, string context)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        if (headers.Transport == TransportHeader.Malformed || headers.FragmentOffset != 0
            || headers is { Family: IpFamily.IPv6, Protocol: IpProtocol.NoNextHeader })
            Assert.True(isInvalid, $"{context}\nis {headers.Transport} here, the kernel tracks it");
        else if (headers.Protocol is not (IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Icmp or IpProtocol.IcmpV6))
            Assert.False(isInvalid, $"{context}\nis {headers.Transport} here, INVALID to the kernel");
    }
}
