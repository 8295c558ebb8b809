using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Queue;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Tests.Divert;

/// <summary>The divert rules in a gateway, with real packets and both iptables variants.</summary>
public sealed class DivertRulesTests
{
    private static readonly DivertSettings Settings = new()
    {
        FirstQueue = 4,
        QueueCount = 2,
        ExemptPorts = [ExemptPort.Tcp(7000), ExemptPort.Udp(7001)],
        CheckInterval = TimeSpan.FromMilliseconds(200),
    };

    private static readonly string[] HostRules =
    [
        "-A INPUT -s 192.0.2.1 -j DROP", "-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
        "-t security -N OTHER", "-t security -A INPUT -j OTHER",
    ];

    [KernelTheory]
    [InlineData(IptablesVariant.Nft)]
    [InlineData(IptablesVariant.Legacy)]
    public void Rules_come_once_and_go_without_a_trace(IptablesVariant variant)
    {
        using var gateway = new Gateway();
        foreach (var rule in HostRules) gateway.Middle.Execute($"iptables-{Name(variant)} {rule}");
        gateway.Middle.Execute($"ip6tables-{Name(variant)} -t security -P FORWARD ACCEPT");
        var before = Saved(gateway.Middle);
        using var killed = gateway.Middle.Run(() => DivertRules.Install(Settings));
        var once = Saved(gateway.Middle);
        Assert.Equal(2 * 3, once.Split('\n').Count(line => line.Contains("-j FWCLUSTER-", StringComparison.Ordinal)));
        Assert.Contains("*mangle", once, StringComparison.Ordinal);
        killed.Dispose();
        // A second start: what is there is taken over, not added to.
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings));
        Assert.Equal(once, Saved(gateway.Middle));
        gateway.Middle.Run(rules.Remove);
        Assert.Equal(before, Saved(gateway.Middle));
    }

    [KernelFact]
    public void A_host_without_any_table_has_none_afterwards()
    {
        using var gateway = new Gateway();
        Assert.Equal("", gateway.Middle.Execute("iptables-nft-save") + gateway.Middle.Execute("ip6tables-nft-save"));
        var settings = Settings with { Variant = IptablesVariant.Nft, NoTrack = true };
        // Killed, and started again: that the tables were not there before is not forgotten.
        gateway.Middle.Run(() => DivertRules.Install(settings)).Dispose();
        Assert.Contains("*raw", gateway.Middle.Execute("ip6tables-nft-save"), StringComparison.Ordinal);
        using var rules = gateway.Middle.Run(() => DivertRules.Install(settings));
        gateway.Middle.Run(rules.Remove);
        Assert.Equal("", gateway.Middle.Execute("iptables-nft-save") + gateway.Middle.Execute("ip6tables-nft-save"));
    }

    [KernelTheory]
    [InlineData(IptablesVariant.Nft, "-F")]
    [InlineData(IptablesVariant.Nft, "-D INPUT -j FWCLUSTER-INPUT")]
    [InlineData(IptablesVariant.Nft, "-D FWCLUSTER-OUTPUT 1")]
    [InlineData(IptablesVariant.Nft, "-I FWCLUSTER-FORWARD 1 -j ACCEPT")]
    [InlineData(IptablesVariant.Nft, "-I FORWARD 1 -j ACCEPT")]
    [InlineData(IptablesVariant.Nft, "-A FORWARD -j FWCLUSTER-FORWARD")]
    [InlineData(IptablesVariant.Legacy, "-F")]
    [InlineData(IptablesVariant.Legacy, "-D INPUT -j FWCLUSTER-INPUT")]
    [InlineData(IptablesVariant.Legacy, "-I FORWARD 1 -j ACCEPT")]
    public void What_somebody_changed_is_put_back(IptablesVariant variant, string change)
    {
        using var gateway = new Gateway();
        var reports = new List<string>();
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { Variant = variant, CheckInterval = variant == IptablesVariant.Nft
            ? TimeSpan.FromHours(1) // Only the announcement can have it repaired in time.
            : TimeSpan.FromMilliseconds(200) }, text =>
        {
            lock (reports) reports.Add(text);
        }));
        var right = Saved(gateway.Middle);
        foreach (var iptables in (string[])["iptables", "ip6tables"])
        {
            gateway.Middle.Execute($"{iptables}-{Name(variant)} -t security {change}");
            var watch = Stopwatch.StartNew();
            while (OwnLines(right) != OwnLines(Saved(gateway.Middle)))
                Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "not repaired within 5 s:\n" + Saved(gateway.Middle));
        }
        SpinWait.SpinUntil(() => rules.Repairs >= 2, 2000);
        Assert.Equal(2, rules.Repairs);
        Assert.Null(rules.Problem);
        lock (reports) Assert.Equal(2, reports.Count);
        // A rule of somebody else's that was put before the jump is still there, behind it.
        if (change == "-I FORWARD 1 -j ACCEPT")
        {
            var forward = Saved(gateway.Middle).Split('\n').Where(line => line.StartsWith("-A FORWARD", StringComparison.Ordinal));
            Assert.Equal(["-A FORWARD -j FWCLUSTER-FORWARD", "-A FORWARD -j ACCEPT", "-A FORWARD -j FWCLUSTER-FORWARD", "-A FORWARD -j ACCEPT"],
                forward);
        }
        gateway.Middle.Run(rules.Remove);
        Assert.DoesNotContain("FWCLUSTER", Saved(gateway.Middle), StringComparison.Ordinal);
    }

    [KernelFact]
    public void Rules_left_in_the_other_variant_and_table_are_removed()
    {
        using var gateway = new Gateway();
        gateway.Middle.Run(() => DivertRules.Install(Settings with { Variant = IptablesVariant.Legacy, Table = DivertTable.Mangle })).Dispose();
        gateway.Middle.Run(() => DivertRules.Install(Settings with { Variant = IptablesVariant.Nft, Table = DivertTable.Mangle })).Dispose();
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { Variant = IptablesVariant.Nft }));
        Assert.DoesNotContain("FWCLUSTER", gateway.Middle.Execute("iptables-legacy-save") + gateway.Middle.Execute("ip6tables-legacy-save"),
            StringComparison.Ordinal);
        Assert.DoesNotContain("*mangle", gateway.Middle.Execute("iptables-nft-save"), StringComparison.Ordinal);
        Assert.Contains("-A FWCLUSTER-FORWARD -j NFQUEUE --queue-balance 4:5", gateway.Middle.Execute("iptables-nft-save"), StringComparison.Ordinal);
    }

    [KernelTheory]
    [InlineData(IptablesVariant.Nft, "iptables-nft", "iptables-legacy")]
    [InlineData(IptablesVariant.Legacy, "iptables-legacy", "iptables-nft")]
    public void The_variant_that_has_rules_is_the_hosts(IptablesVariant variant, string used, string other)
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"{used} -A INPUT -s 192.0.2.1 -j DROP");
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { Families = [IpFamily.IPv4] }));
        Assert.Contains("FWCLUSTER-INPUT", gateway.Middle.Execute(used + "-save"), StringComparison.Ordinal);
        Assert.DoesNotContain("FWCLUSTER", gateway.Middle.Execute(other + "-save"), StringComparison.Ordinal);
        Assert.Contains(variant == IptablesVariant.Nft ? "nft" : "legacy", used, StringComparison.Ordinal);
    }

    /// <summary>A daemon killed under the rules: closed, but for what is exempt; the next one takes the rules over.</summary>
    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_killed_process_leaves_the_firewall_closed_unless_it_fails_open(bool failOpen)
    {
        using var gateway = new Gateway();
        string[] options = failOpen ? ["divert", "exempt=7000", "fail-open"] : ["divert", "exempt=7000"];
        var daemon = Start(gateway, options);
        Assert.True(gateway.Passes(Gateway.Server4));
        Assert.True(gateway.Passes(Gateway.Server6));
        var right = Saved(gateway.Middle);
        using var shell4 = new Conversation(gateway, Gateway.ClientSide4, 22);
        using var shell6 = new Conversation(gateway, Gateway.ClientSide6, 22);
        using var other = new Conversation(gateway, Gateway.ClientSide4, 23);

        daemon.Signal(9);
        Assert.True(daemon.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Equal(right, Saved(gateway.Middle));
        foreach (var address in (string[])[Gateway.Server4, Gateway.Server6])
            Assert.True(failOpen ? gateway.Passes(address) : gateway.Blocks(address));
        Assert.Equal(failOpen, Reaches(gateway, Gateway.ClientSide4, 5000));
        // What is exempt goes on, over IPv6 also when neighbours have to be found again.
        gateway.Client.Ip("-6 neigh flush dev eth0");
        gateway.Middle.Ip("-6 neigh flush dev c0");
        Assert.True(shell4.GoesOn());
        Assert.True(shell6.GoesOn());
        Assert.Equal(failOpen, other.GoesOn());
        Assert.True(Reaches(gateway, Gateway.ClientSide4, 7000));
        Assert.True(Reaches(gateway, Gateway.ClientSide6, 7000));
        // A new connection to the shell is for the rules to decide.
        Assert.Equal(failOpen, Reaches(gateway, Gateway.ClientSide4, 22, listens: true));

        var next = Start(gateway, options);
        Assert.Equal(right, Saved(gateway.Middle));
        Assert.True(gateway.Passes(Gateway.Server4));
        Assert.True(gateway.Passes(Gateway.Server6));
        next.Signal(15);
        Assert.True(next.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.DoesNotContain("FWCLUSTER", Saved(gateway.Middle), StringComparison.Ordinal);
        Assert.True(gateway.Passes(Gateway.Server4));
    }

    /// <summary>What is exempt because it answers lets nobody in: a packet that would begin a connection, or comes from a UDP port, is diverted.</summary>
    [KernelFact]
    public void A_source_port_opens_nothing()
    {
        using var gateway = new Gateway();
        gateway.Middle.Run(() => DivertRules.Install(Settings)).Dispose();
        using var listener = Gateway.Listen(gateway.Middle, Gateway.ClientSide4, 5000);
        using var receiver = Gateway.Udp(gateway.Middle, Gateway.ClientSide4, 5001);
        receiver.ReceiveTimeout = 300;
        using var from7000 = gateway.Client.Run(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(Gateway.Client4), 7000));
            return socket;
        });
        using var time = new CancellationTokenSource(500);
        Assert.ThrowsAny<OperationCanceledException>(
            () => from7000.ConnectAsync(listener.LocalEndPoint!, time.Token).AsTask().GetAwaiter().GetResult());
        using var from7001 = Gateway.Udp(gateway.Client, Gateway.Client4, 7001);
        from7001.SendTo("x"u8, receiver.LocalEndPoint!);
        Assert.False(Gateway.TryReceive(receiver));
    }

    [KernelFact]
    public void A_packet_is_diverted_once_also_over_the_loopback_interface()
    {
        using var gateway = new Gateway();
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { QueueCount = 1, Families = [IpFamily.IPv4] }));
        var (port, names) = gateway.Open(new QueueSettings { Number = Settings.FirstQueue });
        using var closing = names;
        using var closing2 = port;
        using var here = Gateway.Udp(gateway.Middle, "127.0.0.1", 5000);
        using var there = Gateway.Udp(gateway.Middle, "127.0.0.1", 5001);
        here.SendTo("x"u8, there.LocalEndPoint!);
        Assert.True(port.Receive(3000));
        Assert.True(port.TryNext(out var packet));
        Assert.Equal((Hook.Output, "lo"), (packet.Hook, packet.Out.ToString()));
        port.Accept(packet.Id);
        Assert.False(port.Receive(100));
        Assert.True(Gateway.TryReceive(there));
    }

    /// <summary>What the kernel hands over of a packet in fragments.</summary>
    [KernelTheory]
    [InlineData(Gateway.Server4, true, 1)]
    [InlineData(Gateway.Server6, true, 1)]
    [InlineData(Gateway.Server4, false, 3)]
    [InlineData(Gateway.Server6, false, 3)]
    [InlineData(Gateway.ClientSide4, true, 1)]
    [InlineData(Gateway.ClientSide6, true, 1)]
    [InlineData(Gateway.ClientSide4, false, 1)]
    [InlineData(Gateway.ClientSide6, false, 3)]
    public void Fragments_come_whole(string address, bool reassemble, int count)
    {
        using var gateway = new Gateway();
        var isForwarded = address is Gateway.Server4 or Gateway.Server6;
        // Neighbours are known before: their packets are not what is counted.
        if (isForwarded) Assert.True(gateway.Passes(address));
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { QueueCount = 1, Reassemble = reassemble }));
        var (port, names) = gateway.Open(new QueueSettings { Number = Settings.FirstQueue });
        using var closing = names;
        using var closing2 = port;
        using var receiver = Gateway.Udp(isForwarded ? gateway.Server : gateway.Middle, address, 5000);
        using var sender = Gateway.Udp(gateway.Client, address.Contains(':') ? Gateway.Client6 : Gateway.Client4);
        var sent = new byte[4000];
        new Random(3).NextBytes(sent);
        sender.SendTo(sent, receiver.LocalEndPoint!);
        var diverted = 0;
        while (port.Receive(diverted == 0 ? 3000 : 200))
        {
            while (port.TryNext(out var packet))
            {
                Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet.Bytes, packet.Length, out var headers));
                port.Accept(packet.Id);
                // Beside it, neighbours and routers are looked for.
                if (headers.Protocol is IpProtocol.IcmpV6 or IpProtocol.HopByHop) continue;
                diverted++;
                Assert.Equal(count > 1, headers.IsFragment);
            }
        }
        Assert.Equal(count, diverted);
        var received = new byte[8000];
        Assert.Equal(sent.Length, receiver.Receive(received));
        Assert.Equal(sent, received[..sent.Length]);
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_kernel_tracks_diverted_packets_only_where_it_may(bool noTrack)
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute("iptables -A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT");
        using var rules = gateway.Middle.Run(() => DivertRules.Install(Settings with { FailOpen = true, NoTrack = noTrack }));
        Assert.True(gateway.Passes(Gateway.Server4));
        Assert.Equal(!noTrack, gateway.Middle.Execute("conntrack -L -p udp").Contains("dport=9 ", StringComparison.Ordinal));
        gateway.Middle.Run(rules.Remove);
    }

    [KernelFact]
    public void The_capability_for_the_network_is_enough_and_without_it_the_error_says_so()
    {
        using var gateway = new Gateway();
        string[] nobody = ["--reuid", "65534", "--clear-groups"];
        var program = Daemon();
        using var allowed = gateway.Middle.Start("setpriv",
            [.. nobody, "--inh-caps", "+net_admin", "--ambient-caps", "+net_admin", program, "divert"]);
        allowed.WaitUntil(() => allowed.Output.Contains("ready", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        Assert.True(gateway.Passes(Gateway.Server4));
        allowed.Signal(15);
        Assert.True(allowed.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.DoesNotContain("FWCLUSTER", Saved(gateway.Middle), StringComparison.Ordinal);

        var port = gateway.Middle.TryExecute("setpriv", [.. nobody, program]);
        Assert.Equal((1, "queue 0: not permitted; the process needs the capability CAP_NET_ADMIN\n"), (port.ExitCode, port.Error));
        var divert = gateway.Middle.TryExecute("setpriv", [.. nobody, program, "queues=0", "divert"]);
        Assert.Equal(1, divert.ExitCode);
        Assert.Contains("it needs the capabilities CAP_NET_ADMIN and CAP_NET_RAW", divert.Error, StringComparison.Ordinal);
    }

    private static bool Reaches(Gateway gateway, string address, int port, bool listens = false)
    {
        using var listener = listens ? null : Gateway.Listen(gateway.Middle, address, port);
        using var socket = Gateway.Connect(gateway.Client, address, port, 700);
        return socket is not null;
    }

    private static BackgroundProcess Start(Gateway gateway, string[] options)
    {
        var daemon = gateway.Middle.Start(Daemon(), options);
        daemon.WaitUntil(() => daemon.Output.Contains("ready", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        return daemon;
    }

    private static string Daemon() => Path.Combine(AppContext.BaseDirectory, "FwCluster.QueueDaemon");

    private static string Name(IptablesVariant variant) => variant == IptablesVariant.Nft ? "nft" : "legacy";

    private static string OwnLines(string saved)
        => string.Join('\n', saved.Split('\n').Where(line => line.Contains("FWCLUSTER", StringComparison.Ordinal)));

    /// <summary>All four rulesets, without comments (they have the time) and counters.</summary>
    private static string Saved(NetworkNamespace host)
        => string.Concat(((string[])["iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save", "ip6tables-legacy-save"]).Select(
            program => string.Concat(host.Execute(program).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#')).Select(
                line => (line.StartsWith(':') ? line[..line.IndexOf('[')] : line) + "\n"))));

    /// <summary>A TCP connection from the client to the gateway.</summary>
    private sealed class Conversation : IDisposable
    {
        private readonly Socket _listener;
        private readonly Socket _client;
        private readonly Socket _server;

        public Conversation(Gateway gateway, string address, int port)
        {
            _listener = Gateway.Listen(gateway.Middle, address, port);
            _client = Gateway.Connect(gateway.Client, address, port) ?? throw new InvalidOperationException($"no connection to {address} {port}");
            _server = _listener.Accept();
            _server.ReceiveTimeout = 5000;
            if (!GoesOn()) throw new InvalidOperationException($"no conversation with {address} {port}");
            _server.ReceiveTimeout = _client.ReceiveTimeout = 2000;
        }

        /// <summary>True where both sides hear each other.</summary>
        public bool GoesOn()
        {
            _client.Send("question"u8);
            if (!Gateway.TryReceive(_server)) return false;
            _server.Send("answer"u8);
            return Gateway.TryReceive(_client);
        }

        public void Dispose()
        {
            _client.Dispose();
            _server.Dispose();
            _listener.Dispose();
        }
    }
}
