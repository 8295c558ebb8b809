using FwCluster.Conntrack.Helpers.Tftp;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>The tftp helper: the server answers from a port of its own.</summary>
public sealed class TftpHelperTests
{
    private static readonly TftpHelper Helper = new() { Ports = [69] };

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 0, 1, (byte)'f', 0 }, true)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 0, 2 }, true)]
    [InlineData("2001:db8::1", "2001:db8::2", new byte[] { 0, 1 }, true)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 0, 3, 0, 1 }, false)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 0, 4, 0, 1 }, false)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 0, 5 }, false)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 1, 1 }, false)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[] { 1 }, false)]
    [InlineData("10.0.0.1", "10.0.0.2", new byte[0], false)]
    public void Requests_are_expected_to_be_answered(string client, string server, byte[] payload, bool expects)
    {
        foreach (var state in (ConntrackState[])[ConntrackState.New, ConntrackState.Established])
        {
            var bench = new HelperBench(Helper, client, server, 40000, 69) { Zone = 3 };
            Assert.True(bench.Packet(Direction.Original, 0, payload, state: state));
            Assert.Null(bench.State);
            if (!expects)
            {
                Assert.Empty(bench.Noted);
                continue;
            }
            var expected = Assert.Single(bench.Noted);
            Assert.Equal(server, expected.Tuple.Source.ToString(expected.Tuple.Family));
            Assert.Equal(client, expected.Tuple.Destination.ToString(expected.Tuple.Family));
            Assert.Equal(40000, expected.Tuple.DestinationPort);
            Assert.Equal(0, expected.Tuple.SourcePort);
            Assert.Equal(IpProtocol.Udp, expected.Tuple.Protocol);
            Assert.True(expected.MatchSourceAddress);
            Assert.False(expected.MatchSourcePort);
            Assert.Equal(3, expected.Zone);
            Assert.Equal(7, expected.Master);
        }
    }

    [Fact]
    public void Request_in_the_other_direction_expects_the_same()
    {
        var bench = new HelperBench(Helper, "10.0.0.1", "10.0.0.2", 40000, 69);
        Assert.True(bench.Packet(Direction.Reply, 0, [0, 1]));
        Assert.Equal(40000, Assert.Single(bench.Noted).Tuple.DestinationPort);
    }

    [Fact]
    public void Packet_is_dropped_where_the_expectation_is_refused()
    {
        var bench = new HelperBench(Helper, "10.0.0.1", "10.0.0.2", 40000, 69) { Refuses = true };
        Assert.False(bench.Packet(Direction.Original, 0, [0, 1], state: ConntrackState.New));
        Assert.True(bench.Packet(Direction.Original, 0, [0, 3], state: ConntrackState.New));
        Assert.Equal(1, Helper.MaxExpected);
        Assert.Equal(TimeSpan.FromSeconds(300), Helper.ExpectTimeout);
    }
}
