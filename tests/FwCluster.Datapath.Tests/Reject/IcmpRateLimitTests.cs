using System.Diagnostics;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Tests.Reject;

public class IcmpRateLimitTests
{
    private const long Millisecond = 1_000_000;

    private static readonly IpAddress Host = new(0, 0xc0000201);
    private static readonly IpAddress OtherHost = new(0, 0xc0000202);

    [Fact]
    public void AHostHasSixAtOnceAndThenOneEachTime()
    {
        var limit = new IcmpRateLimit();
        Assert.Equal(6, Enumerable.Range(0, 20).Count(i => limit.Allow(IpFamily.IPv4, Host, i * Millisecond)));
        Assert.Equal(10, Enumerable.Range(0, 100).Count(i => limit.Allow(IpFamily.IPv4, Host, 1000 * Millisecond + i * 100 * Millisecond)));
        Assert.True(limit.Allow(IpFamily.IPv4, OtherHost, 11_000 * Millisecond));
        Assert.Equal(14 + 90, limit.LimitedForHost);
    }

    [Fact]
    public void TheBucketForAllBoundsAllHostsTogether()
    {
        var limit = new IcmpRateLimit(new IcmpRateSettings { MessagesPerSecond = 100, MessagesBurst = 10 }, random: new Random(1));
        var sent = 0;
        for (var i = 0; i < 100_000; i++)
        {
            if (limit.Allow(IpFamily.IPv4, new IpAddress(0, (ulong)i), i * (Millisecond / 10))) sent++;
        }
        // Ten seconds of a hundred each, and the first burst; an error takes one of the bucket on average, and may overdraw it by one.
        Assert.InRange(sent, 900, 1200);
        Assert.Equal(100_000, sent + limit.LimitedForAll + limit.LimitedForHost);
    }

    [Fact]
    public void NoRateIsNoError()
    {
        var limit = new IcmpRateLimit(new IcmpRateSettings { MessagesPerSecond = 0 });
        Assert.False(limit.Allow(IpFamily.IPv4, Host, 0));
        var free = new IcmpRateLimit(new IcmpRateSettings { IPv4Milliseconds = 0, MessagesPerSecond = int.MaxValue, MessagesBurst = int.MaxValue });
        for (var i = 0; i < 1000; i++) Assert.True(free.Allow(IpFamily.IPv4, Host, 0));
    }

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void AHostIsAnsweredAsOftenAsTheKernelDoes(IpFamily family)
    {
        const int wait = 50;
        using var kernel = new RejectKernel();
        kernel.Referee.Router.SetSysctl("net.ipv4.icmp_ratemask", "6168");
        kernel.Referee.Router.SetSysctl("net.ipv4.icmp_ratelimit", "50");
        kernel.Referee.Router.SetSysctl("net.ipv6.icmp.ratelimit", "50");
        var settings = new IcmpRateSettings
        {
            IPv4Milliseconds = wait, IPv6Milliseconds = wait, MessagesPerSecond = 1_000_000, MessagesBurst = 1_000_000,
        };
        var limit = new IcmpRateLimit(settings);
        var isIPv4 = family == IpFamily.IPv4;
        var to = RejectKernel.Behind(family, isIPv4 ? RejectType.IcmpPortUnreachable : RejectType.Icmp6PortUnreachable);
        var addresses = PacketAddresses.Parse(isIPv4 ? "198.51.100.9" : "2001:db8:2::9", to);
        var packet = PacketBuilder.Udp(addresses, 1000, 2000);
        var clock = Stopwatch.StartNew();
        int kernels = 0, ours = 0, sent = 0;
        while (clock.Elapsed < TimeSpan.FromSeconds(1))
        {
            sent++;
            if (kernel.Ask(packet).Length > 0) kernels++;
            if (limit.Allow(family, addresses.Source, clock.Elapsed.Ticks * 100)) ours++;
        }
        Assert.True(sent > 100, $"only {sent} packets in a second");
        // The kernel counts in ticks of its timer.
        Assert.InRange(ours, kernels - 3, kernels + 3);
        Assert.InRange(kernels, 10, sent / 2);
    }
}
