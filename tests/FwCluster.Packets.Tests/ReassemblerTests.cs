using FwCluster.Packets.Fragments;
using FwCluster.Packets.Tests.Kernel;

namespace FwCluster.Packets.Tests;

/// <summary>What the comparison with the kernel does not show: limits, scopes, and captures that cut packets short.</summary>
public class ReassemblerTests
{
    private static readonly byte[] Data = [.. Enumerable.Range(0, 2048).Select(value => (byte)(value * 7))];

    public static TheoryData<IpFamily> Families => [IpFamily.IPv4, IpFamily.IPv6];

    [Theory]
    [MemberData(nameof(Families))]
    public void FragmentsBecomeThePacketThatWasCut(IpFamily family)
    {
        var reassembler = new Reassembler();
        Assert.Equal(FragmentResult.Held, Add(reassembler, Fragment(family, 0, 1024, more: true), out _));
        Assert.Equal((1, true), (reassembler.HeldDatagrams, reassembler.MemoryBytes >= 1024));
        Assert.Equal(FragmentResult.Whole, Add(reassembler, Fragment(family, 1024, 2048, more: false), out var whole));
        using (whole)
        {
            Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(whole.Span, whole.WireLength, out var headers));
            Assert.False(Reassembler.Concerns(in headers));
            Assert.True(whole.Span[headers.TransportOffset..].SequenceEqual(Data));
            Assert.Equal(200, headers.Protocol);
        }
        Assert.Equal((0, 0L), (reassembler.HeldDatagrams, reassembler.MemoryBytes));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ACutCaptureGivesThePacketUpToTheCut(IpFamily family)
    {
        var reassembler = new Reassembler();
        var first = Fragment(family, 0, 1024, more: true);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(first.AsSpan(0, 100), first.Length, out var headers));
        Assert.Equal(FragmentResult.Held, reassembler.Add(in headers, first.AsSpan(0, 100), 0, default, out _));
        Assert.Equal(FragmentResult.Whole, Add(reassembler, Fragment(family, 1024, 2048, more: false), out var whole));
        using (whole)
        {
            var header = family == IpFamily.IPv4 ? 20 : 40;
            Assert.Equal(header + 2048, whole.WireLength);
            var captured = family == IpFamily.IPv4 ? 80 : 52;
            Assert.True(whole.Span[header..].SequenceEqual(Data.AsSpan(0, captured)));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void ScopesAreKeptApart(IpFamily family)
    {
        var reassembler = new Reassembler();
        Add(reassembler, Fragment(family, 0, 1024, more: true), out _, new FragmentScope(1, false, 0));
        var last = Fragment(family, 1024, 2048, more: false);
        Assert.Equal(FragmentResult.Held, Add(reassembler, last, out _, new FragmentScope(2, false, 0)));
        Assert.Equal(FragmentResult.Held, Add(reassembler, last, out _, new FragmentScope(1, true, 0)));
        Assert.Equal(FragmentResult.Whole, Add(reassembler, last, out var whole, new FragmentScope(1, false, 3)));
        whole.Dispose();
    }

    [Fact]
    public void LinkLocalFragmentsOfTwoInterfacesAreKeptApart()
    {
        var reassembler = new Reassembler();
        var first = PacketBuilder.IPv6Fragment(200, "fe80::1", "fe80::2", Data.AsSpan(0, 8), 0, true, 9);
        var last = PacketBuilder.IPv6Fragment(200, "fe80::1", "fe80::2", Data.AsSpan(8, 8), 8, false, 9);
        Assert.Equal(FragmentResult.Held, Add(reassembler, first, out _, new FragmentScope(0, false, 1)));
        Assert.Equal(FragmentResult.Held, Add(reassembler, last, out _, new FragmentScope(0, false, 2)));
        Assert.Equal(FragmentResult.Whole, Add(reassembler, last, out var whole, new FragmentScope(0, false, 1)));
        whole.Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void MemoryIsBounded(IpFamily family)
    {
        const int limit = 100_000;
        var reassembler = new Reassembler(new ReassemblyOptions { IPv4MemoryLimit = limit, IPv6MemoryLimit = limit });
        for (uint id = 0; id < 5000; id++)
            Add(reassembler, FragmentTrain.Fragment(family, Data, 0, 1024, more: true, id), out _);
        Assert.True(reassembler.Failures(FragmentFailure.MemoryLimit) > 4000);
        Assert.InRange(reassembler.MemoryBytes, limit, limit + 4096);

        // Room comes back when the time of what is held is over.
        reassembler.Expire(61_000_000_000);
        Assert.Equal((0, 0L), (reassembler.HeldDatagrams, reassembler.MemoryBytes));
        Assert.True(reassembler.Failures(FragmentFailure.Timeout) > 10);
    }

    [Theory]
    [InlineData(IpFamily.IPv4, 30)]
    [InlineData(IpFamily.IPv6, 60)]
    public void TimeRunsFromTheFirstFragment(IpFamily family, int seconds)
    {
        var reassembler = new Reassembler();
        var (first, middle, last) = (Fragment(family, 0, 8, true), Fragment(family, 8, 16, true), Fragment(family, 16, 24, false));
        Add(reassembler, first, out _);
        Add(reassembler, middle, out _, now: 20_000_000_000);
        Assert.Equal(FragmentResult.Held, Add(reassembler, last, out _, now: seconds * 1_000_000_000L));
        Assert.Equal(1, reassembler.Failures(FragmentFailure.Timeout));
    }

    [Fact]
    public void OrdinaryPacketsAreNotTouched()
    {
        var reassembler = new Reassembler();
        var packet = PacketBuilder.IPv4(IpProtocol.Udp, "10.0.0.1", "10.0.0.2", PacketBuilder.Udp(1, 2));
        Assert.Equal(FragmentResult.Untouched, Add(reassembler, packet, out _));
        Assert.Equal(0, reassembler.HeldDatagrams);
    }

    [Fact]
    public void AnyPacketsInAnyOrderLeaveTheAccountsRight()
    {
        CsCheck.Check.Sample(CsCheck.Gen.Int, seed =>
        {
            var random = new Random(seed);
            var reassembler = new Reassembler(new ReassemblyOptions { IPv4MemoryLimit = 200_000, IPv6MemoryLimit = 200_000 });
            var family = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
            for (uint train = 0; train < 20; train++)
            {
                foreach (var packet in FragmentTrain.Random(random, family, train % 3))
                {
                    if (Add(reassembler, packet, out var whole, now: train * 2_000_000_000L) == FragmentResult.Whole) whole.Dispose();
                }
            }
            reassembler.Expire(long.MaxValue);
            Assert.Equal((0, 0L), (reassembler.HeldDatagrams, reassembler.MemoryBytes));
        }, iter: 200);
    }

    private static byte[] Fragment(IpFamily family, int from, int to, bool more) => FragmentTrain.Fragment(family, Data, from, to, more, id: 7);

    private static FragmentResult Add(
        Reassembler reassembler, byte[] packet, out ReassembledPacket whole, FragmentScope scope = default, long now = 0)
    {
        whole = default;
        return PacketDecoder.Decode(packet, packet.Length, out var headers) == DecodeResult.Ok
            ? reassembler.Add(in headers, packet, now, in scope, out whole)
            : FragmentResult.Untouched;
    }
}
