using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>What one line announces, byte for byte as the kernel takes it.</summary>
public sealed class FtpLineTests
{
    internal const string Client4 = "10.0.0.1";
    internal const string Server4 = "10.0.0.2";
    internal const string Client6 = "2001:db8::1";
    internal const string Server6 = "2001:db8::2";

    private static readonly FtpHelper Helper = new() { Ports = [21] };

    /// <summary>What becomes of a line: the port that is expected at the speaker's address, or one of these.</summary>
    internal const int Nothing = -1;
    internal const int Dropped = -2;

    public static TheoryData<string, int> ClientLines4 => new()
    {
        { "PORT 10,0,0,1,4,5\r\n", 1029 },
        { "port 10,0,0,1,4,5\r\n", 1029 },
        { "PORT 10,0,0,1,4,5\r", 1029 },
        { "PORT 10,0,0,1,4,5\rwhatever", 1029 },
        { "PORT 10,0,0,1,0,21\r\n", 21 },
        { "PORT 10,0,0,1,0,0\r\n", 0 },
        { "PORT 10,0,0,1,,\r\n", 0 },
        { "PORTAL 10,0,0,1,4,5\r\n", 1029 },
        { "PORT\r\n 10,0,0,1,4,5\r\n", 1029 },
        // Numbers run over to the left, and round.
        { "PORT 0,0,0,167772161,4,5\r\n", 1029 },
        { "PORT 10,0,0,1,0,1029\r\n", 1029 },
        { "PORT 10,0,0,1,256,1029\r\n", 1029 },
        { "PORT 10,0,0,4294967297,4,5\r\n", 1029 },
        { "PORT 0010,000,0,00000000001,4,5\r\n", 1029 },
        // Not the speaker's address.
        { "PORT 10,0,0,2,4,5\r\n", Nothing },
        { "PORT 192,0,2,1,4,5\r\n", Nothing },
        { "PORT ,,,,,\r\n", Nothing },
        // Wrong, or not all of it.
        { "PORT 10,0,0,1,4,5\n", Dropped },
        { "PORT 10,0,0,1,4,5 \r\n", Dropped },
        { "PORT  10,0,0,1,4,5\r\n", Dropped },
        { "PORT 10,0,0,1,4\r\n", Dropped },
        { "PORT 10,0,0,1,4,5,6\r\n", Dropped },
        { "PORT 10.0.0.1.4.5\r\n", Dropped },
        { "PORT -10,0,0,1,4,5\r\n", Dropped },
        { "PORT 10,0,0,1,4,5", Dropped },
        { "PORT 10,0,0,", Dropped },
        { "PORT\r\n", Dropped },
        { "PORT", Dropped },
        { "Po", Dropped },
        { "e", Dropped },
        // Something else.
        { "PASV\r\n", Nothing },
        { "PA", Nothing },
        { " PORT 10,0,0,1,4,5\r\n", Nothing },
        { "227 Entering Passive Mode (10,0,0,1,4,5)\r\n", Nothing },
        { "EPRT |1|10.0.0.1|1029|\r\n", 1029 },
        { "eprt !1!10.0.0.1!1029!\r\n", 1029 },
        { "EPRT |1|10.0.0.1|1029|", 1029 },
        { "EPRT |1|10.0.0.1|66565|\r\n", 1029 },
        { "EPRT |1|0.0.0.167772161|1029|\r\n", 1029 },
        { "EPRT a1a10.0.0.1a1029a\r\n", 1029 },
        { "EPRT |1|10.0.0.2|1029|\r\n", Nothing },
        { "EPRT |1|10.0.0.1|0|\r\n", Dropped },
        { "EPRT |1|10.0.0.1|65536|\r\n", Dropped },
        { "EPRT |1|10.0.0.1|10 29|\r\n", Dropped },
        { "EPRT |1|10.0.0.1|1029\r\n", Dropped },
        { "EPRT |1|10.0.0.1!1029|\r\n", Dropped },
        { "EPRT |1|10.0.0|1029|\r\n", Dropped },
        { "EPRT .1.10.0.0.1.1029.\r\n", Dropped },
        { "EPRT |2|::1|1029|\r\n", Dropped },
        { "EPRT |3|10.0.0.1|1029|\r\n", Dropped },
        { "EPRT 111110.0.0.1|1029|\r\n", Dropped },
        { "EPRT |1!10.0.0.1|1029|\r\n", Dropped },
        { "EPRT |1|", Dropped },
        { "EPRT |1|10.0.0.1|", Dropped },
        { "EPRT |1|10.0.0.1|102", Dropped },
        { "EPRT ", Dropped },
    };

    public static TheoryData<string, int> ServerLines4 => new()
    {
        { "227 Entering Passive Mode (10,0,0,2,4,5)\r\n", 1029 },
        { "227 Entering Passive Mode (10,0,0,2,4,5).\r\n", 1029 },
        { "227 Entering Passive Mode 10,0,0,2,4,5\r\n", 1029 },
        { "227 Entering Passive Mode. 10,0,0,2,4,5\n", 1029 },
        { "227 =10,0,0,2,4,5.", 1029 },
        { "227 10,0,0,2,4,5x", 1029 },
        { "227 (10,0,0,2,0,0)\r\n", 0 },
        { "227 Entering\r\n227 Mode (10,0,0,2,4,5)\r\n", Dropped },
        { "227 (10,0,0,1,4,5)\r\n", Nothing },
        { "227 (10,0,0,2,4,5", Dropped },
        { "227 (10,0,0,2,4)\r\n", Dropped },
        { "227 (10, 0, 0, 2, 4, 5)\r\n", Dropped },
        { "227 Passive mode 1 (10,0,0,2,4,5)\r\n", Dropped },
        { "227 Entering Passive Mode\r\n", Dropped },
        { "227 ", Dropped },
        { "22", Dropped },
        { "227-Entering Passive Mode (10,0,0,2,4,5)\r\n", Nothing },
        { "220 ready\r\n", Nothing },
        { "PORT 10,0,0,2,4,5\r\n", Nothing },
        { "229 Entering Extended Passive Mode (|||1029|)\r\n", 1029 },
        { "229 Ok (!!!1029!)\r\n", 1029 },
        { "229 (|||1029|", 1029 },
        { "229 (((()|||1029|)\r\n", Dropped },
        { "229 ((((1029()\r\n", 1029 },
        { "229 Ok |||1029|\r\n", Dropped },
        { "229 Ok (|||0|)\r\n", Dropped },
        { "229 Ok (|||1029)\r\n", Dropped },
        { "229 Ok (|1|10.0.0.2|1029|)\r\n", Dropped },
        { "229 Ok (11110291)\r\n", Dropped },
        { "229 Ok (|||", Dropped },
        { "229 Ok (", Dropped },
    };

    public static TheoryData<string, int> ClientLines6 => new()
    {
        { "EPRT |2|2001:db8::1|1029|\r\n", 1029 },
        { "EPRT |2|2001:DB8::1|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8:0:0:0:0:0:1|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8::0:0:0:0:1|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8:0::0:0:0:1|1029|\r\n", 1029 },
        { "EPRT |2|2001:0000000db8::001|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8::0.0.0.1|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8:0:0:0:0:0.0.0.1|1029|\r\n", 1029 },
        { "EPRT |2|2001:db8::0.0.0.1:1029|\r\n", 1029 },
        { "EPRT |2|2001:db8::1\01029|\r\n", 1029 },
        { "EPRT g2g2001:db8::1g1029g\r\n", 1029 },
        { "EPRT |2|2001:db8::2|1029|\r\n", Nothing },
        { "EPRT |2|::|1029|\r\n", Nothing },
        { "EPRT |2|1::|1029|\r\n", Nothing },
        { "EPRT |2|::1:2:3:4:5:6:7|1029|\r\n", Nothing },
        { "EPRT |2|1:2:3:4:5:6:7::|1029|\r\n", Nothing },
        { "EPRT |2|::1:2:3:4:5:6:7:8|1029|\r\n", Dropped },
        { "EPRT |2|1:2:3:4:5:6:7:8:9|1029|\r\n", Dropped },
        { "EPRT |2|1:2:3:4:5:6:7|1029|\r\n", Dropped },
        { "EPRT |2|1:2:3:4:5:6:7:8:|1029|\r\n", Dropped },
        { "EPRT |2|1:2:3:4:5:6:7:0.0.0.1|1029|\r\n", Dropped },
        { "EPRT |2|2001::db8::1|1029|\r\n", Dropped },
        { "EPRT |2|:2001:db8::1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8:::1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::1:|1029|\r\n", Dropped },
        { "EPRT |2|12001:db8::1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::0.0.0.256|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::0.0.1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::0.0.0.0.1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::.0.0.1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::0.0.0xa.1|1029|\r\n", Dropped },
        { "EPRT |2||1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::1%1|1029|\r\n", Dropped },
        { "EPRT |2|2001:db8::1|0|\r\n", Dropped },
        { "EPRT |2|2001:db8::1", Dropped },
        { "EPRT |1|10.0.0.1|1029|\r\n", Dropped },
        // PORT has four bytes for an address; they are compared with the first four of the client's.
        { "PORT 32,1,13,184,4,5\r\n", 1029 },
        { "PORT 10,0,0,1,4,5\r\n", Nothing },
    };

    public static TheoryData<string, int> ServerLines6 => new()
    {
        { "229 Entering Extended Passive Mode (|||1029|)\r\n", 1029 },
        { "227 Entering Passive Mode (32,1,13,184,4,5)\r\n", 1029 },
        { "227 Entering Passive Mode (10,0,0,2,4,5)\r\n", Nothing },
    };

    [Theory]
    [MemberData(nameof(ClientLines4))]
    public void Client_line_over_IPv4(string line, int outcome) => Check(Direction.Original, Client4, Server4, line, outcome);

    [Theory]
    [MemberData(nameof(ServerLines4))]
    public void Server_line_over_IPv4(string line, int outcome) => Check(Direction.Reply, Client4, Server4, line, outcome);

    [Theory]
    [MemberData(nameof(ClientLines6))]
    public void Client_line_over_IPv6(string line, int outcome) => Check(Direction.Original, Client6, Server6, line, outcome);

    [Theory]
    [MemberData(nameof(ServerLines6))]
    public void Server_line_over_IPv6(string line, int outcome) => Check(Direction.Reply, Client6, Server6, line, outcome);

    [Theory]
    [InlineData(Client4, Server4, "PORT 192,0,2,9,4,5\r\n", "192.0.2.9")]
    [InlineData(Client4, Server4, "EPRT |1|192.0.2.9|1029|\r\n", "192.0.2.9")]
    [InlineData(Client6, Server6, "EPRT |2|2001:db8::9|1029|\r\n", "2001:db8::9")]
    // The last twelve bytes stay the client's.
    [InlineData("2001:db8:7:8::9", Server6, "PORT 10,0,0,1,4,5\r\n", "a00:1:7:8::9")]
    public void Loose_expects_any_address(string client, string server, string line, string address)
    {
        var bench = new HelperBench(new FtpHelper { Ports = [21], Loose = true }, client, server);
        bench.Client("USER x\r\n");
        Assert.True(bench.Client(line));
        var expected = Assert.Single(bench.Noted);
        Assert.Equal(address, expected.Tuple.Destination.ToString(expected.Tuple.Family));
        Assert.Equal(1029, expected.Tuple.DestinationPort);
        Assert.Equal(server, expected.Tuple.Source.ToString(expected.Tuple.Family));
    }

    [Fact]
    public void Expectation_is_for_the_listener_from_its_peer_and_any_port()
    {
        var bench = new HelperBench(Helper, Client4, Server4) { Zone = 5 };
        bench.Server("220 ready\r\n");
        Assert.True(bench.Server("229 Ok (|||1029|)\r\n"));
        var expected = Assert.Single(bench.Noted);
        Assert.True(expected.MatchSourceAddress);
        Assert.False(expected.MatchSourcePort);
        Assert.False(expected.Permanent);
        Assert.Equal(0, expected.Class);
        Assert.Equal(0, expected.Helper);
        Assert.Equal(5, expected.Zone);
        Assert.Equal(7, expected.Master);
        Assert.Equal(Client4, expected.Tuple.Source.ToString(IpFamily.IPv4));
        Assert.Equal(Server4, expected.Tuple.Destination.ToString(IpFamily.IPv4));
        Assert.Equal(0, expected.Tuple.SourcePort);
        Assert.Equal(1029, expected.Tuple.DestinationPort);
        Assert.Equal(IpProtocol.Tcp, expected.Tuple.Protocol);
        Assert.Equal(1, Helper.MaxExpected);
        Assert.Equal(TimeSpan.FromSeconds(300), Helper.ExpectTimeout);
    }

    private static void Check(Direction direction, string client, string server, string line, int outcome)
    {
        var bench = new HelperBench(Helper, client, server);
        Assert.True(direction == Direction.Original ? bench.Client("first\r\n") : bench.Server("first\r\n"));
        var accepted = direction == Direction.Original ? bench.Client(line) : bench.Server(line);
        Assert.Equal(outcome != Dropped, accepted);
        if (outcome < 0)
        {
            Assert.Empty(bench.Noted);
            return;
        }
        var expected = Assert.Single(bench.Noted).Tuple;
        var (speaker, peer) = direction == Direction.Original ? (client, server) : (server, client);
        Assert.Equal(speaker, expected.Destination.ToString(expected.Family));
        Assert.Equal(peer, expected.Source.ToString(expected.Family));
        Assert.Equal(outcome, expected.DestinationPort);
    }
}
