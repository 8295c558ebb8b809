using System.Text.Json;
using FwCluster.Packets;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Packets;

namespace FwCluster.Cli.Tests;

public sealed class ReplayTests : IDisposable
{
    private const string Rules = """
        *filter
        :INPUT DROP [0:0]
        -A INPUT -p tcp --dport 80 -m state --state NEW,ESTABLISHED -j ACCEPT
        -A INPUT -p udp -j REJECT
        -A OUTPUT -m state --state ESTABLISHED
        COMMIT

        """;

    private static readonly PacketAddresses In = PacketAddresses.Parse("10.0.0.2", "10.0.0.1");

    private readonly TestCapture _capture = new TestCapture().Write(
        PacketBuilder.Tcp(In, 1000, 80, TcpFlags.Syn, sequence: 100),
        PacketBuilder.Tcp(In.Reversed, 80, 1000, TcpFlags.Syn | TcpFlags.Ack, sequence: 500, acknowledgment: 101),
        PacketBuilder.Tcp(In, 1000, 80, TcpFlags.Ack, sequence: 101, acknowledgment: 501),
        PacketBuilder.Udp(In, 5, 6, "hello"u8),
        PacketBuilder.Tcp(In, 1000, 80, TcpFlags.Syn | TcpFlags.Fin, sequence: 1),
        [0x00, 0x01]);

    public void Dispose() => _capture.Dispose();

    [Fact]
    public void PacketsAreALineEach()
    {
        var run = Replay("--packets");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal("""
            1	NEW	ACCEPT	INPUT	1
            2	ESTABLISHED	ACCEPT	OUTPUT	policy
            3	ESTABLISHED	ACCEPT	INPUT	1
            4	NEW	REJECT	INPUT	2
            5	INVALID	DROP	INPUT	policy
            6	-	-	-	-

            """.ReplaceLineEndings("\n"), run.Output);
    }

    [Fact]
    public void ChainsAreListedAsIptablesListsThem()
    {
        var run = Replay();
        Assert.Equal("""
            Chain INPUT (policy DROP 1 packets, 40 bytes)
                pkts      bytes target     prot opt in     out     source               destination         
                   2       80 ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80 state NEW,ESTABLISHED
                   1       33 REJECT     17   --  *      *       0.0.0.0/0            0.0.0.0/0            reject-with icmp-port-unreachable

            Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)
                pkts      bytes target     prot opt in     out     source               destination         

            Chain OUTPUT (policy ACCEPT 1 packets, 40 bytes)
                pkts      bytes target     prot opt in     out     source               destination         
                   1       40            0    --  *      *       0.0.0.0/0            0.0.0.0/0            state ESTABLISHED

            """.ReplaceLineEndings("\n"), run.Output);
    }

    [Fact]
    public void ConnectionsAreThoseLeftAfterTheLastPacket()
    {
        Assert.Equal(
            "tcp      6 431997 ESTABLISHED src=10.0.0.2 dst=10.0.0.1 sport=1000 dport=80 packets=2 bytes=80 src=10.0.0.1 dst=10.0.0.2 "
            + "sport=80 dport=1000 packets=1 bytes=40 [ASSURED] mark=0 use=1\n",
            Replay("--connections").Output);
    }

    [Fact]
    public void JsonSaysTheSame()
    {
        var lines = Replay("--json", "--packets", "--connections", "--expectations").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8, lines.Length);
        Assert.Equal(
            """{"number":4,"time":"1700000003.000000000","fate":"rejected","state":"NEW","verdict":"REJECT","family":"ipv4","table":"filter","chain":"INPUT","rule":2}""",
            lines[3]);
        Assert.Equal("""{"number":6,"time":"1700000005.000000000","fate":"notIp"}""", lines[5]);
        Assert.Contains("\"reason\":\"tcpFlags\"", lines[4], StringComparison.Ordinal);
        using var connections = JsonDocument.Parse(lines[6]);
        var connection = connections.RootElement.GetProperty("connections")[0];
        Assert.Equal("ESTABLISHED", connection.GetProperty("state").GetString());
        Assert.Equal(2, connection.GetProperty("original").GetProperty("packets").GetInt32());
        Assert.Equal("""{"expectations":[]}""", lines[7]);

        using var chains = JsonDocument.Parse(Replay("--json").Output);
        var input = chains.RootElement.GetProperty("chains")[0];
        Assert.Equal(("INPUT", "DROP", 1), (input.GetProperty("name").GetString(), input.GetProperty("policy").GetString(), input.GetProperty("packets").GetInt32()));
        Assert.Equal("-A INPUT -p udp -j REJECT --reject-with icmp-port-unreachable", input.GetProperty("rules")[1].GetProperty("rule").GetString());
        Assert.Equal(1, chains.RootElement.GetProperty("capture").GetProperty("fates").GetProperty("rejected").GetInt32());
    }

    [Fact]
    public void AnAnnotatedCaptureShowsTheVerdictsInWireshark()
    {
        var output = _capture.File("out.pcapng");
        Assert.Equal(0, Replay("--annotate", output).ExitCode);
        Assert.Equal(
            ["state=NEW verdict=ACCEPT chain=INPUT rule=1", "state=ESTABLISHED verdict=ACCEPT chain=OUTPUT rule=policy",
             "state=ESTABLISHED verdict=ACCEPT chain=INPUT rule=1", "state=NEW verdict=REJECT chain=INPUT rule=2",
             "state=INVALID verdict=DROP chain=INPUT rule=policy", "state=- verdict=- chain=- rule=-"],
            Command.Run("tshark", ["-r", output, "-T", "fields", "-e", "frame.comment"]).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void TheCaptureIsNeverOverwritten()
    {
        File.CreateSymbolicLink(_capture.File("link"), _capture.Path);
        var before = File.ReadAllBytes(_capture.Path);
        foreach (var path in new[] { _capture.Path, _capture.File("link"), _capture.File("./x/../capture.pcap") })
        {
            var run = Replay("--annotate", path);
            Assert.Equal(1, run.ExitCode);
            Assert.Contains("never overwritten", run.Error, StringComparison.Ordinal);
        }
        Assert.Equal(before, File.ReadAllBytes(_capture.Path));
    }

    [Fact]
    public void ABrokenCaptureGivesTheResultsSoFar()
    {
        var whole = File.ReadAllBytes(_capture.Path);
        File.WriteAllBytes(_capture.Path, whole[..^20]);
        var run = Replay("--packets", "--annotate", _capture.File("out.pcapng"));
        Assert.Equal(2, run.ExitCode);
        Assert.Equal(4, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal($"fwctl: {_capture.Path} breaks at packet 5, byte 241: the record of 40 bytes ends after 38; 4 packets before it were replayed\n", run.Error);
        Assert.True(File.Exists(_capture.File("out.pcapng")));
    }

    [Fact]
    public void WithoutLocalAHintIsGivenOnce()
    {
        var run = FwctlRun.Of("replay", _capture.Path, "--rules", _capture.Text("rules", Rules));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("--local", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("Chain FORWARD (policy ACCEPT 5 packets, 193 bytes)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void IPv6HasAHeadingOfItsOwn()
    {
        var addresses = PacketAddresses.Parse("2001:db8::2", "2001:db8::1");
        _capture.Write(PacketBuilder.Udp(addresses, 1, 2), PacketBuilder.Udp(In, 1, 2));
        var run = FwctlRun.Of("replay", _capture.Path, "--rules6", _capture.Text("rules6", "*filter\n-A FORWARD -s 2001:db8::2 -j DROP\nCOMMIT\n"));
        Assert.Contains("\n\n# ip6tables -t filter\nChain INPUT", run.Output, StringComparison.Ordinal);
        Assert.Contains("       1       48 DROP       0    --  *      *       2001:db8::2          ::/0", run.Output, StringComparison.Ordinal);
        Assert.StartsWith("Chain INPUT", run.Output, StringComparison.Ordinal);

        run = FwctlRun.Of("replay", _capture.Path, "--table", "all", "--rules", _capture.Text("rules", "*mangle\n-A FORWARD -j MARK --set-mark 1\nCOMMIT\n"));
        Assert.StartsWith("# iptables -t mangle\nChain PREROUTING", run.Output, StringComparison.Ordinal);
        Assert.Contains("\n\n# iptables -t filter\nChain INPUT", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void HelpersAttachByThemselvesOrByRuleOnly()
    {
        _capture.Write([.. Ftp()]);
        string States(params string[] arguments) => string.Join(' ', FwctlRun.Of(["replay", _capture.Path, "--packets", .. arguments]).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[1]));
        var rule = _capture.Text("ct", "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n");

        Assert.EndsWith("RELATED", States(), StringComparison.Ordinal);
        Assert.EndsWith("NEW", States("--helpers", "none"), StringComparison.Ordinal);
        Assert.EndsWith("NEW", States("--helpers", "tftp"), StringComparison.Ordinal);
        Assert.EndsWith("NEW", States("--helpers", "ftp=2121"), StringComparison.Ordinal);
        Assert.EndsWith("RELATED", States("--helpers", "none", "--rules", rule), StringComparison.Ordinal);
        Assert.EndsWith("NEW", States("--sysctl", "net.netfilter.nf_conntrack_helper=0"), StringComparison.Ordinal);
    }

    [Fact]
    public void SettingsAreThoseOfTheKernel()
    {
        _capture.Write(PacketBuilder.Udp(In, 1, 2), PacketBuilder.Udp(In, 3, 4), PacketBuilder.Tcp(In, 1, 2, TcpFlags.Ack), PacketBuilder.Udp(In.Reversed, 2, 1));
        string States(params string[] arguments) => string.Join(' ', FwctlRun.Of(["replay", _capture.Path, "--packets", .. arguments]).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[1]));
        Assert.Equal("NEW NEW NEW ESTABLISHED", States());
        Assert.Equal("NEW NEW INVALID ESTABLISHED", States("--no-loose"));
        Assert.Equal("NEW NEW NEW NEW", States("--sysctl", "nf_conntrack_udp_timeout=2"));
    }

    [Fact]
    public void SetsAreReadFromTheirFile()
    {
        var sets = _capture.Text("sets", "create clients hash:ip\nadd clients 10.0.0.2\n");
        var rules = _capture.Text("rules", "*filter\n-A FORWARD -m set --match-set clients src -j DROP\nCOMMIT\n");
        var run = FwctlRun.Of("replay", _capture.Path, "--rules", rules, "--sets", sets);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("       4      153 DROP       0    --  *      *       0.0.0.0/0            0.0.0.0/0            match-set clients src\n", run.Output, StringComparison.Ordinal);
        Assert.Equal(0, FwctlRun.Of("rules", "check", rules, "--sets", sets).ExitCode);

        Assert.Equal(1, FwctlRun.Of("replay", _capture.Path, "--rules", rules).ExitCode);
        run = FwctlRun.Of("replay", _capture.Path, "--rules", rules, "--sets", _capture.Text("sets", "create clients hash:ip\nadd client 10.0.0.2\n"));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("sets:2:5:", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("fwctl: there is 1 mistake in the sets\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownLinkTypeIsSaid()
    {
        var bytes = File.ReadAllBytes(_capture.Path);
        bytes[20] = 147;
        File.WriteAllBytes(_capture.Path, bytes);
        var run = Replay();
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("frames of link type 147, which is not read", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--local 1.2.3", "fwctl: --local 1.2.3: '1.2.3' is no address")]
    [InlineData("--helpers irc", "fwctl: --helpers irc: column 1: there is no helper 'irc'; known are ftp, tftp")]
    [InlineData("--sysctl foo=1", "fwctl: --sysctl: there is no setting 'foo'; there are nf_conntrack_checksum, ")]
    [InlineData("--sysctl nf_conntrack_udp_timeout=x", "'x' is no value for nf_conntrack_udp_timeout")]
    [InlineData("--max-entries 0", "a number from 1 to 268435456 is right")]
    [InlineData("--max-entries many", "many")]
    [InlineData("--in-interface abcdefghijklmnop", "an interface's name has at most 15 bytes")]
    [InlineData("--table nat", "nat")]
    [InlineData("--rules /nowhere", "fwctl: cannot read /nowhere: there is no such file")]
    [InlineData("--annotate /nowhere/x", "fwctl: cannot write /nowhere/x: there is no such file")]
    [InlineData("--pakets", "--pakets")]
    public void MistakesAreSaid(string arguments, string expected)
    {
        var run = FwctlRun.Of(["replay", _capture.Path, .. arguments.Split(' ')]);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeReplayedIsSaid()
    {
        var run = FwctlRun.Of("replay", "/nowhere");
        Assert.Equal((2, "fwctl: cannot read /nowhere: there is no such file\n"), (run.ExitCode, run.Error));
        run = FwctlRun.Of("replay", _capture.Folder);
        Assert.Equal((2, $"fwctl: cannot read {_capture.Folder}: it is a directory\n"), (run.ExitCode, run.Error));
        run = FwctlRun.Of("replay", _capture.Text("rules", Rules));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("is not a capture: it is neither pcap nor pcapng", run.Error, StringComparison.Ordinal);
        run = FwctlRun.Of("replay", _capture.Path, "--rules", _capture.Text("rules", "*filter\n-A INPUT -j ACCPT\nCOMMIT\n"));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("rules:2:13: there is neither a target nor a chain ACCPT; did you mean \"ACCEPT\"?\n    -A INPUT -j ACCPT\n                ^~~~~\n", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("fwctl: there is 1 mistake in the rules\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AsAProcessInAPipe()
    {
        _capture.Text("rules", Rules);
        var replay = "fwctl replay - --rules rules --local 10.0.0.1";
        var run = FwctlRun.Shell($"cat capture.pcap | {replay}", _capture.Folder);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Replay().Output, run.Output);

        run = FwctlRun.Shell($"head -c 150 capture.pcap | {replay} --packets", _capture.Folder);
        Assert.Equal((2, 2), (run.ExitCode, run.Output.Count(c => c == '\n')));
        Assert.Contains("the capture from the standard input breaks at packet 3, byte 136", run.Error, StringComparison.Ordinal);

        run = FwctlRun.Shell("mkfifo pipe; cat capture.pcap > pipe & fwctl replay pipe --packets | wc -l", _capture.Folder);
        Assert.Equal(("6", ""), (run.Output.Trim(), run.Error));
    }

    [Fact]
    public void AReaderThatLeavesIsNoError()
    {
        var packet = PacketBuilder.Udp(In, 1, 2);
        _capture.Write([.. Enumerable.Repeat(packet, 50_000)]);
        var run = FwctlRun.Shell("fwctl replay capture.pcap --packets | head -1; echo ${PIPESTATUS[0]}", _capture.Folder);
        Assert.Equal(("1\tNEW\tACCEPT\tFORWARD\tpolicy\n0\n", ""), (run.Output, run.Error));
    }

    private FwctlRun Replay(params string[] arguments)
        => FwctlRun.Of(["replay", _capture.Path, "--rules", _capture.Text("rules", Rules), "--local", "10.0.0.1", .. arguments]);

    /// <summary>A login, and the first packet of a data connection that the server had announced.</summary>
    private static IEnumerable<byte[]> Ftp()
    {
        var client = PacketAddresses.Parse("10.0.0.2", "10.0.0.9");
        var server = client.Reversed;
        yield return PacketBuilder.Tcp(client, 1000, 21, TcpFlags.Syn, 100);
        yield return PacketBuilder.Tcp(server, 21, 1000, TcpFlags.Syn | TcpFlags.Ack, 500, 101);
        yield return PacketBuilder.Tcp(client, 1000, 21, TcpFlags.Ack, 101, 501);
        var welcome = "220 hello\r\n"u8.ToArray();
        yield return PacketBuilder.Tcp(server, 21, 1000, TcpFlags.Ack | TcpFlags.Psh, 501, 101, payload: welcome);
        var pasv = "PASV\r\n"u8.ToArray();
        yield return PacketBuilder.Tcp(client, 1000, 21, TcpFlags.Ack | TcpFlags.Psh, 101, 512, payload: pasv);
        yield return PacketBuilder.Tcp(server, 21, 1000, TcpFlags.Ack | TcpFlags.Psh, 512, 107, payload: "227 Entering Passive Mode (10,0,0,9,19,137)\r\n"u8);
        yield return PacketBuilder.Tcp(client, 1001, 5001, TcpFlags.Syn, 900);
    }
}
