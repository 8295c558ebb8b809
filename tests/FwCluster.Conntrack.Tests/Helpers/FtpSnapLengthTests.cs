using FwCluster.Conntrack.Helpers.Ftp;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>Packets of which the capture has only the beginning.</summary>
public sealed class FtpSnapLengthTests
{
    private static readonly byte[] Port = "PORT 10,0,0,1,4,5\r\n"u8.ToArray();

    private readonly HelperBench _bench = new(new FtpHelper { Ports = [21] }, "10.0.0.1", "10.0.0.2");
    private readonly uint _start;

    public FtpSnapLengthTests()
    {
        _bench.Client("USER x\r\n");
        _start = _bench.Sequence[0];
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(17)]
    public void Line_that_goes_on_unseen_is_let_through_without_an_expectation(int captured)
    {
        Assert.True(_bench.Packet(Direction.Original, _start, Port, captured));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Line_that_was_seen_whole_counts()
    {
        Assert.True(_bench.Packet(Direction.Original, _start, Port, 18));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Line_that_is_wrong_in_what_was_seen_is_dropped()
        => Assert.False(_bench.Packet(Direction.Original, _start, "PORT 10.0.0.1.4.5\r\n"u8, 10));

    [Fact]
    public void Unseen_end_begins_no_line()
    {
        Assert.True(_bench.Packet(Direction.Original, _start, "NOOP\r\n"u8, 5));
        Assert.True(_bench.Packet(Direction.Original, _start + 6, Port));
        Assert.Empty(_bench.Noted);
        Assert.True(_bench.Packet(Direction.Original, _start + 6 + (uint)Port.Length, Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Newline_that_is_not_the_last_byte_begins_no_line()
    {
        Assert.True(_bench.Packet(Direction.Original, _start, "NOOP\r\nLIST\r\n"u8, 6));
        Assert.True(_bench.Packet(Direction.Original, _start + 6, Port));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Request_that_goes_on_unseen_does_not_end_reading()
    {
        _bench.Server("220 ready\r\n");
        Assert.True(_bench.Packet(Direction.Original, _start, "AUTH TLS\r\n"u8, 8));
        Assert.True(_bench.Server("234 ok\r\n"));
        Assert.False(((FtpControl)_bench.State!).IsEncrypted);
    }
}
