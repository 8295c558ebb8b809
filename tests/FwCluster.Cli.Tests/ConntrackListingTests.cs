using System.Text.RegularExpressions;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;

namespace FwCluster.Cli.Tests;

/// <summary>
/// Connections and expectations against the real tool: the same packets, and what <c>conntrack -L</c> and <c>conntrack -L expect</c> print.
/// </summary>
public partial class ConntrackListingTests
{
    private const string Rules = """
        *raw
        -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
        -A PREROUTING -p tcp --dport 2121 -j CT --helper ftp --zone 4
        -A PREROUTING -p udp --dport 69 -j CT --helper tftp
        -A PREROUTING -p udp --dport 1001 -j CT --zone 7
        -A PREROUTING -p udp --dport 1002 -j CT --zone-orig 8
        -A PREROUTING -p udp --dport 1003 -j CT --zone-reply 9
        COMMIT
        *mangle
        -A FORWARD -p udp --dport 1000 -j CONNMARK --set-mark 0x123
        COMMIT

        """;

    [KernelTheory]
    [InlineData("10.0.0.10", "10.1.0.11")]
    [InlineData("2001:db8::a", "2001:db8:1::b")]
    public void ListsAsConntrackDoes(string client, string server)
    {
        var addresses = PacketAddresses.Parse(client, server);
        var packets = Packets(addresses).ToList();
        using var referee = new KernelReferee(new RefereeOptions { Rules4 = Rules, Rules6 = Rules });
        foreach (var packet in packets) referee.Send(packet);
        using var capture = new TestCapture().Write(packets);
        var option = addresses.Family == IpFamily.IPv4 ? "--rules" : "--rules6";
        var rules = capture.Text("rules", Rules);
        string Replay(string what)
        {
            var run = FwctlRun.Of("replay", capture.Path, option, rules, "--helpers", "none", what);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            return run.Output;
        }

        var family = addresses.Family == IpFamily.IPv4 ? "ipv4" : "ipv6";
        Assert.Equal(
            Comparable(referee.Router.Execute("conntrack", ["-L", "-f", family])), Comparable(Replay("--connections")));
        Assert.Equal(
            Comparable(referee.Router.Execute("conntrack", ["-L", "expect", "-f", family])), Comparable(Replay("--expectations")));
    }

    private static IEnumerable<byte[]> Packets(PacketAddresses client)
    {
        var server = client.Reversed;
        foreach (ushort port in (ushort[])[21, 2121])
        {
            yield return PacketBuilder.Tcp(client, 1000, port, TcpFlags.Syn, 100);
            yield return PacketBuilder.Tcp(server, port, 1000, TcpFlags.Syn | TcpFlags.Ack, 500, 101);
            yield return PacketBuilder.Tcp(client, 1000, port, TcpFlags.Ack, 101, 501);
            yield return PacketBuilder.Tcp(server, port, 1000, TcpFlags.Ack | TcpFlags.Psh, 501, 101, payload: "220 hello\r\n"u8);
            yield return PacketBuilder.Tcp(client, 1000, port, TcpFlags.Ack | TcpFlags.Psh, 101, 512, payload: "PASV\r\n"u8);
            for (var i = 0; i < 2; i++)
            {
                var passive = System.Text.Encoding.ASCII.GetBytes($"229 Extended Passive Mode OK (|||{5001 + i}|)\r\n");
                yield return PacketBuilder.Tcp(server, port, 1000, TcpFlags.Ack | TcpFlags.Psh, (uint)(512 + (passive.Length * i)), 107, payload: passive);
                if (i == 0 && port == 21) yield return PacketBuilder.Tcp(client, 1001, 5001, TcpFlags.Syn, 900);
            }
        }
        yield return PacketBuilder.Tcp(client, 1002, 80, TcpFlags.Syn, 100);
        yield return PacketBuilder.Tcp(client, 1003, 80, TcpFlags.Syn, 100);
        yield return PacketBuilder.Tcp(server, 80, 1003, TcpFlags.Rst | TcpFlags.Ack, 0, 101);
        yield return PacketBuilder.Udp(client, 5, 69, [0, 1, (byte)'f', 0, (byte)'o', (byte)'c', (byte)'t', (byte)'e', (byte)'t', 0]);
        for (ushort port = 1000; port < 1004; port++) yield return PacketBuilder.Udp(client, 5, port, "x"u8);
        yield return PacketBuilder.Udp(server, 1000, 5, "y"u8);
        yield return PacketBuilder.Echo(client, 7, 1);
        yield return PacketBuilder.Echo(client, 8, 1);
        yield return PacketBuilder.Echo(server, 8, 1, reply: true);
        yield return PacketBuilder.Ip(client, 253, "hello, whatever"u8);
        yield return PacketBuilder.Ip(client, IpProtocol.Esp, new byte[16]);
        yield return PacketBuilder.Ip(client, IpProtocol.Gre, [0, 0, 8, 0]);
    }

    /// <summary>Lines in any order (the kernel's is that of its hash), without the seconds left: there a test has no say.</summary>
    private static string Comparable(string listing)
        => string.Join('\n', listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Seconds().Replace(line, "$1<seconds> ")).Order(StringComparer.Ordinal));

    [GeneratedRegex(@"^(\w+ +\d+ |)\d+ ")]
    private static partial Regex Seconds();
}
