using CsCheck;
using FwCluster.Conntrack.Helpers.Ftp;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>Where the helper reads: only lines that begin a segment, right behind a segment that ended with a newline.</summary>
public sealed class FtpLineStartTests
{
    private const string Port = "PORT 10,0,0,1,4,5\r\n";

    private readonly HelperBench _bench = new(new FtpHelper { Ports = [21] }, "10.0.0.1", "10.0.0.2");

    [Fact]
    public void First_segment_of_a_direction_is_not_read()
    {
        Assert.True(_bench.Client(Port));
        Assert.Empty(_bench.Noted);
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Directions_are_apart()
    {
        _bench.Server("220 ready\r\n");
        Assert.True(_bench.Client(Port));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Line_behind_another_in_one_segment_is_not_read()
    {
        _bench.Client("USER x\r\n");
        Assert.True(_bench.Client("NOOP\r\n" + Port));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Text_that_goes_on_is_not_read()
    {
        _bench.Client("USER x\r\n");
        Assert.True(_bench.Client("SITE "));
        Assert.True(_bench.Client(Port));
        Assert.Empty(_bench.Noted);
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Cut_line_is_dropped_until_it_comes_whole()
    {
        _bench.Client("USER x\r\n");
        Assert.False(_bench.Client("PORT 10,0,"));
        Assert.False(_bench.Client("PORT 10,0,0,1,4,5"));
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Second_half_of_a_dropped_line_is_let_through_unread()
    {
        _bench.Client("USER x\r\n");
        var start = _bench.Sequence[0];
        Assert.False(_bench.Client("PORT 10,0,"));
        Assert.True(_bench.Segment(Direction.Original, start + 10, "0,1,4,5\r\n"));
        Assert.Empty(_bench.Noted);
        // The beginning of the dropped one is still known.
        Assert.True(_bench.Segment(Direction.Original, start, Port));
        Assert.Single(_bench.Noted);
        // The half ended with a newline, so what follows is read.
        Assert.True(_bench.Segment(Direction.Original, start + 19, Port));
        Assert.Equal(2, _bench.Noted.Count);
    }

    [Fact]
    public void Newline_at_the_end_of_a_dropped_line_begins_nothing()
    {
        _bench.Client("USER x\r\n");
        var start = _bench.Sequence[0];
        Assert.False(_bench.Client("PORT 1\r\n"));
        Assert.True(_bench.Segment(Direction.Original, start + 8, Port));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Two_places_are_remembered_the_oldest_is_forgotten()
    {
        _bench.Client("A\r\n");
        var first = _bench.Sequence[0];
        _bench.Client("B\r\n");
        var second = _bench.Sequence[0];
        Assert.True(_bench.Segment(Direction.Original, first, Port));
        Assert.True(_bench.Segment(Direction.Original, second, Port));
        Assert.Equal(2, _bench.Noted.Count);
        // Both of them ended with a newline later than the two places known.
        Assert.True(_bench.Segment(Direction.Original, first, Port));
        Assert.Equal(2, _bench.Noted.Count);
        // An older place does not push a newer one out.
        Assert.True(_bench.Segment(Direction.Original, first - 10, "x\n"));
        Assert.True(_bench.Segment(Direction.Original, first - 8, Port));
        Assert.Equal(2, _bench.Noted.Count);
        Assert.True(_bench.Segment(Direction.Original, second + (uint)Port.Length, Port));
        Assert.Equal(3, _bench.Noted.Count);
    }

    [Fact]
    public void Sequence_numbers_go_round()
    {
        _bench.Sequence[0] = uint.MaxValue - 2;
        _bench.Client("A\r\n");
        Assert.Equal(0u, _bench.Sequence[0]);
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Client(Port));
        Assert.Equal(3, _bench.Noted.Count);
    }

    [Fact]
    public void Line_end_counts_also_where_the_address_is_not_expected()
    {
        _bench.Client("USER x\r\n");
        Assert.True(_bench.Client("PORT 1,2,3,4,5,6\r\n"));
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Packet_is_dropped_where_the_expectation_is_refused_and_its_end_counts()
    {
        _bench.Client("USER x\r\n");
        var start = _bench.Sequence[0];
        _bench.Refuses = true;
        Assert.False(_bench.Client(Port));
        _bench.Refuses = false;
        Assert.True(_bench.Segment(Direction.Original, start + (uint)Port.Length, Port));
        Assert.Single(_bench.Noted);
    }

    [Theory]
    [InlineData(ConntrackState.New)]
    [InlineData(ConntrackState.Related)]
    [InlineData(ConntrackState.Invalid)]
    public void Only_established_packets_are_looked_at(ConntrackState state)
    {
        Assert.True(_bench.Packet(Direction.Original, 0, "A\r\n"u8, state: state));
        Assert.Null(_bench.State);
        Assert.True(_bench.Segment(Direction.Original, 3, Port));
        Assert.Empty(_bench.Noted);
    }

    [Fact]
    public void Segment_without_payload_changes_nothing()
    {
        _bench.Client("A\r\n");
        Assert.True(_bench.Segment(Direction.Original, _bench.Sequence[0], ""));
        Assert.True(_bench.Client(Port));
        Assert.Single(_bench.Noted);
    }

    [Fact]
    public void Picked_up_connection_is_read_from_its_next_segment_on()
    {
        _bench.State = FtpControl.PickedUp();
        Assert.True(_bench.Client(Port));
        Assert.True(_bench.Server("229 Ok (|||1029|)\r\n"));
        Assert.Equal(2, _bench.Noted.Count);
        // Once a direction.
        _bench.Client("SITE ");
        Assert.True(_bench.Client(Port));
        Assert.Equal(2, _bench.Noted.Count);
    }

    /// <summary>A sender that cuts lines where it likes, and sends what was dropped again with more behind it, gets every data
    /// connection expected, as long as no segment crosses a line's end.</summary>
    [Fact]
    public void Dialogue_cut_anywhere_gives_every_expectation()
    {
        string[] others = ["NOOP\r\n", "RETR PORT 10,0,0,1,4,5\r\n", "P\r\n", "x\n", "SITE EPRT |1|10.0.0.1|1029|\r\n"];
        var line = Gen.OneOf(
            Gen.UShort[1, ushort.MaxValue].Select(port => (Text: $"PORT 10,0,0,1,{port >> 8},{port & 255}\r\n", Port: (int)port)),
            Gen.UShort[1, ushort.MaxValue].Select(port => (Text: $"EPRT |1|10.0.0.1|{port}|\r\n", Port: (int)port)),
            Gen.Int[0, others.Length - 1].Select(index => (Text: others[index], Port: -1)));
        Gen.Select(line.List[1, 10], Gen.Int[0, 1 << 20].List[1, 20], Gen.UInt).Sample((lines, cuts, start) =>
        {
            var bench = new HelperBench(new FtpHelper { Ports = [21] }, "10.0.0.1", "10.0.0.2");
            bench.Sequence[0] = start;
            bench.Client("USER x\r\n");
            var cut = 0;
            foreach (var (text, _) in lines)
            {
                // A cut behind the number ends the announcement already; the rest of the line follows.
                for (var sent = 0; sent < text.Length;)
                {
                    var length = 1 + cuts[cut++ % cuts.Count] % (text.Length - sent);
                    while (!bench.Client(text.Substring(sent, length))) length++;
                    sent += length;
                }
            }
            Assert.Equal(
                lines.Where(l => l.Port >= 0).Select(l => l.Port), bench.Noted.Select(e => (int)e.Tuple.DestinationPort));
        });
    }
}
