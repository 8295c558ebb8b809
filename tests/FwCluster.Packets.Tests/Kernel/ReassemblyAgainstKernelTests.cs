using System.Globalization;
using FwCluster.Packets.Fragments;

namespace FwCluster.Packets.Tests.Kernel;

/// <summary>The kernel puts the same fragments together; what comes out, in which order, must be the same bytes.</summary>
public class ReassemblyAgainstKernelTests(ITestOutputHelper output)
{
    /// <summary>NFLOG copies no more of a packet than fits its netlink attribute.</summary>
    private const int LoggedBytes = 65531;

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void RandomTrainsComeOutAsTheKernelPutsThemTogether(IpFamily family)
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
        var (whole, until) = (0, DateTime.UtcNow.AddSeconds(8));

        for (var round = 0; round < 2000 && DateTime.UtcNow < until; round++)
        {
            var train = FragmentTrain.Random(random, family, (uint)round);
            var expected = kernel.Exchange(train).ConvertAll(seen => seen.Bytes);
            var actual = train.SelectMany(packet => Through(reassembler, packet)).ToList();
            Compare(expected, actual, $"FWCLUSTER_SEED={seed}, {family}, train {round}:\n{FragmentTrain.Describe(train)}");
            whole += actual.Count;
        }
        output.WriteLine($"{whole} packets came out");
        Assert.True(whole > 100, "Too few datagrams became whole for the test to mean something.");
        foreach (var reason in Enum.GetValues<FragmentFailure>()) output.WriteLine($"{reason}: {reassembler.Failures(reason)}");
    }

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void WhatComesTooLateDoesNotCompleteADatagram(IpFamily family)
    {
        Assert.SkipWhen(KernelStack.Unavailable is not null, KernelStack.Unavailable ?? "");
        using var kernel = KernelStack.Start("net.ipv4.ipfrag_time=1", "net.netfilter.nf_conntrack_frag6_timeout=1");
        var reassembler = new Reassembler(
            new ReassemblyOptions { IPv4Timeout = TimeSpan.FromSeconds(1), IPv6Timeout = TimeSpan.FromSeconds(1) });
        var data = Enumerable.Range(0, 64).Select(value => (byte)value).ToArray();
        var first = FragmentTrain.Fragment(family, data, 0, 32, more: true, id: 7);
        var last = FragmentTrain.Fragment(family, data, 32, 64, more: false, id: 7);

        var seen = kernel.Exchange([first]);
        Thread.Sleep(TimeSpan.FromSeconds(1.6));
        seen.AddRange(kernel.Exchange([last]));
        Assert.Empty(seen);
        Assert.Empty(Through(reassembler, first));
        Assert.Empty(Through(reassembler, last, nowNanoseconds: 1_600_000_000));
        Assert.Equal(1, reassembler.Failures(FragmentFailure.Timeout));

        // And the late one waits for its own beginning.
        Compare(kernel.Exchange([first]).ConvertAll(packet => packet.Bytes),
            [.. Through(reassembler, first, nowNanoseconds: 1_700_000_000)], "the same train again");
    }

    private static IEnumerable<byte[]> Through(Reassembler reassembler, byte[] packet, long nowNanoseconds = 0)
    {
        if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) return [];
        var result = reassembler.Add(in headers, packet, nowNanoseconds, new FragmentScope(0, false, 1), out var whole);
        if (result == FragmentResult.Untouched) return [packet[..headers.TotalLength]];
        if (result != FragmentResult.Whole) return [];
        using (whole)
        {
            Assert.Equal(whole.WireLength, whole.Span.Length);
            return [whole.Span.ToArray()];
        }
    }

    private static void Compare(List<byte[]> expected, List<byte[]> actual, string context)
    {
        var sameCount = expected.Count == actual.Count;
        for (var index = 0; sameCount && index < expected.Count; index++)
        {
            var logged = actual[index].AsSpan(0, Math.Min(actual[index].Length, LoggedBytes));
            if (!logged.SequenceEqual(expected[index])) sameCount = false;
        }
        if (sameCount) return;
        Assert.Fail($"{context}\nkernel:   {Text(expected)}\nhere:     {Text(actual)}");
    }

    private static string Text(List<byte[]> packets)
        => string.Join("\n          ", packets.Select(
            packet => $"{packet.Length} bytes {Convert.ToHexString(packet.AsSpan(0, Math.Min(packet.Length, 96)))}"));
}
