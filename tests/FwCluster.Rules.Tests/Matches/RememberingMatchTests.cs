using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Rules.Tests.Matches;

/// <summary>Matches that remember, with time passing.</summary>
public class RememberingMatchTests
{
    [Fact]
    public void Limit_lets_its_burst_through_and_then_its_rate()
    {
        var run = new RuleRun("-m limit --limit 2/second --limit-burst 3");
        Assert.Equal(3, run.CountAt(0, 10));
        Assert.False(run.Matches(0.4));
        Assert.True(run.Matches(0.5));
        Assert.False(run.Matches(0.5));
        Assert.Equal(2, run.CountAt(1.5, 10));
        Assert.Equal(3, run.CountAt(100, 10));
    }

    [Fact]
    public void Limit_after_idle_days_overflows_as_the_kernel_does()
    {
        // 2^32 credits at 128 a jiffy are 33,554,432 jiffies: what the time would add is zero again.
        var run = new RuleRun("-m limit --limit 1/second --limit-burst 1");
        Assert.True(run.Matches(0));
        Assert.False(run.Matches(33_554_432 / 250.0));
    }

    [Fact]
    public void Hashlimit_limits_each_key_by_itself()
    {
        var run = new RuleRun("-m hashlimit --hashlimit-name a --hashlimit-upto 10/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-srcmask 24");
        Assert.Equal(2, run.CountAt(0, 5, "192.0.2.1"));
        Assert.Equal(0, run.CountAt(0, 5, "192.0.2.77"));
        Assert.Equal(2, run.CountAt(0, 5, "198.51.100.1"));
        Assert.Equal(1, run.CountAt(0.1, 5, "192.0.2.1"));
    }

    [Fact]
    public void Hashlimit_rules_of_one_name_share_a_table()
    {
        var run = new RuleRun(
            "-d 192.0.2.99 -m hashlimit --hashlimit-name a --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip",
            "-m hashlimit --hashlimit-name a --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip");
        Assert.True(run.Matches(0, destination: "192.0.2.98"));
        Assert.Equal(1, run.CountAt(0, 5));
    }

    [Fact]
    public void Hashlimit_forgets_what_was_quiet()
    {
        var run = new RuleRun("-m hashlimit --hashlimit-name a --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-htable-expire 3000");
        Assert.Equal(2, run.CountAt(0, 5));
        Assert.Equal(0, run.CountAt(2, 5));
        Assert.Equal(0, run.CountAt(4.9, 5));
        Assert.Equal(2, run.CountAt(9, 5));
    }

    [Fact]
    public void Hashlimit_drops_what_its_full_table_has_no_room_for()
    {
        // Above a rate never exceeded: only a packet that finds no room is dropped.
        var run = new RuleRun("-m hashlimit --hashlimit-name a --hashlimit-above 1000/sec --hashlimit-burst 1000 --hashlimit-mode srcip "
            + "--hashlimit-htable-size 1 --hashlimit-htable-max 4 --hashlimit-htable-expire 2000");
        for (var i = 1; i <= 4; i++) Assert.False(run.Matches(0, $"192.0.2.{i}"));
        Assert.True(run.Matches(0, "192.0.2.5"));
        Assert.False(run.Matches(0, "192.0.2.4"));
        Assert.False(run.Matches(5, "192.0.2.5"));
    }

    [Fact]
    public void Hashlimit_of_bytes_refills_as_often_as_its_burst_says()
    {
        // 1 kB/s, filled twice more: three packets of a second's worth each at once.
        var run = new RuleRun("-m hashlimit --hashlimit-name a --hashlimit-upto 1kb/s --hashlimit-burst 2kb");
        Assert.Equal(3, run.CountAt(0, 10, payload: 980));
        Assert.Equal(0, run.CountAt(0.5, 10, payload: 980));
        Assert.Equal(1, run.CountAt(1, 10, payload: 900));
    }

    [Fact]
    public void Hashlimit_measures_a_rate_over_its_interval()
    {
        var run = new RuleRun("-m hashlimit --hashlimit-name a --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-rate-match --hashlimit-rate-interval 2 "
            + "--hashlimit-htable-expire 60000");
        Assert.Equal(5, run.CountAt(0, 20));
        Assert.Equal(10, run.CountAt(1, 10));
        // Fifteen packets a second in the interval before: above, whatever comes in this one.
        Assert.Equal(1, run.CountAt(2, 1));
        Assert.Equal(0, run.CountAt(4, 1));
    }

    [Fact]
    public void Recent_finds_what_was_set_within_its_seconds()
    {
        var run = new RuleRun("-p udp --dport 1000 -m recent --set", "-m recent --rcheck --seconds 10");
        Assert.False(run.Matches(0));
        Assert.True(run.Matches(0, port: 1000));
        Assert.True(run.Matches(9.9));
        Assert.False(run.Matches(9.9, "192.0.2.2"));
        Assert.False(run.Matches(11));
    }

    [Fact]
    public void Recent_counts_hits()
    {
        var run = new RuleRun("-m recent --update --seconds 60 --hitcount 3", "-p udp --dport 1000 -m recent --set");
        Assert.False(run.Matches(0));
        for (var i = 0; i < 3; i++) Assert.True(run.Matches(i, port: 1000));
        Assert.True(run.Matches(4));
        Assert.True(run.Matches(60));
        Assert.False(run.Matches(200));
    }

    [Fact]
    public void Recent_makes_room_for_the_hundred_and_first()
    {
        var run = new RuleRun("! -d 192.0.2.99 -m recent --set", "-m recent --rcheck");
        for (var i = 0; i <= 100; i++) run.Matches(i, $"10.0.0.{i}", "192.0.2.98");
        Assert.False(run.Matches(200, "10.0.0.0"));
        Assert.True(run.Matches(200, "10.0.0.1"));
        Assert.True(run.Matches(200, "10.0.0.100"));
    }

    [Fact]
    public void Recent_forgets_and_tells_apart_by_hop_limit()
    {
        var run = new RuleRun("-p udp --dport 1000 -m recent --set", "-p udp --dport 1001 -m recent --remove", "-m recent --rcheck --rttl");
        run.Matches(0, port: 1000, ttl: 50);
        Assert.False(run.Matches(1, ttl: 51));
        Assert.True(run.Matches(1, ttl: 50));
        Assert.True(run.Matches(1, port: 1001));
        Assert.False(run.Matches(2, ttl: 50));
    }

    [Fact]
    public void Connlimit_counts_connections_that_live()
    {
        var run = new RuleRun("-m connlimit --connlimit-above 2");
        for (ushort port = 1; port <= 2; port++) Assert.False(run.Matches(Udp(port), port, tracked: true));
        Assert.True(run.Matches(Udp(3), 3, tracked: true));
        // What was refused counts until a packet behind it in the list clears it away (__nf_conncount_add).
        Assert.True(run.Matches(Udp(1), 4, tracked: true));
        Assert.False(run.Matches(Udp(3), 100, tracked: true));
    }

    [Fact]
    public void Nth_and_random_go_on_from_packet_to_packet()
    {
        var nth = new RuleRun("-m statistic --mode nth --every 3 --packet 1");
        Assert.Equal([false, true, false, false, true, false], Enumerable.Range(0, 6).Select(i => nth.Matches(i)));
        var random = new RuleRun("-m statistic --mode random --probability 0.25");
        Assert.InRange(random.CountAt(0, 10_000), 2_300, 2_700);
        Assert.Equal(random.CountAt(0, 0), new RuleRun("-m statistic --mode random --probability 0").CountAt(0, 1000));
    }

    [Fact]
    public void Time_matches_its_hours_and_days()
    {
        // The run starts on Wednesday, 4 March 2026, at noon.
        Assert.True(new RuleRun("-m time --weekdays We --monthdays 4 --timestart 11:59 --timestop 12:01").Matches(59));
        Assert.False(new RuleRun("-m time --timestart 11:59 --timestop 12:01").Matches(61));
        Assert.False(new RuleRun("-m time ! --weekdays 3").Matches(0));
        Assert.True(new RuleRun("-m time --datestart 2026-03-04T12:00:01").Matches(1));
        Assert.False(new RuleRun("-m time --datestart 2026-03-04T12:00:01").Matches(0));
        var night = new RuleRun("-m time --weekdays Wed --timestart 23:00 --timestop 01:00 --contiguous");
        Assert.True(night.Matches(12.5 * 3600));
        Assert.False(new RuleRun("-m time --weekdays Wed --timestart 23:00 --timestop 01:00").Matches(12.5 * 3600));
    }

    private static byte[] Udp(ushort port) => PacketBuilder.Udp(PacketAddresses.Parse("192.0.2.1", "192.0.2.99"), port, 80);

    [Fact]
    public void Tcpmss_drops_a_header_cut_off()
    {
        var addresses = PacketAddresses.Parse("192.0.2.1", "192.0.2.99");
        var syn = PacketBuilder.Tcp(addresses, 1, 2, TcpFlags.Syn, options: new TcpOptionBuilder().NoOperation().NoOperation().MaximumSegmentSize(1400).NoOperation().NoOperation().ToArray());
        Assert.True(new RuleRun("-p tcp -m tcpmss --mss 1400").Matches(syn, 0));
        Assert.False(new RuleRun("-p tcp -m tcpmss --mss 1401:").Matches(syn, 0));
        Assert.True(new RuleRun("-p tcp -m tcpmss ! --mss 1:").Matches(PacketBuilder.Tcp(addresses, 1, 2, TcpFlags.Ack), 0));
        Assert.True(new RuleRun("-p tcp -m tcpmss --mss 7").Matches(PacketBuilder.Ip(addresses, IpProtocol.Tcp, new byte[19]), 0));
    }
}
