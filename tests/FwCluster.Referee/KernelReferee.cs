using System.Globalization;
using System.Text;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Netlink;

namespace FwCluster.Referee;

/// <summary>
/// The running kernel as referee: a router in a private network namespace. Packets go in one at a time by a packet socket; marks
/// set in <c>mangle FORWARD</c> carry each one's connection tracking state out in its DSCP. Instead of the marks it can run a ruleset
/// under test, and print its counters.
/// </summary>
/// <remarks>
/// A packet travels a veth pair, the router and the next veth pair inside the system call that sends it, so the answer is
/// normally there when the call returns. Where it is not, two sentinel frames follow (see <see cref="Synchronize"/>): the order of
/// frames is kept, so when the sentinels are through and nothing came, the packet was swallowed. No answer depends on a timeout.
/// Packets must have DSCP 0 (ECN is free). Not thread-safe.
/// </remarks>
public sealed class KernelReferee : IDisposable
{
    private const int EthernetHeaderBytes = 14;
    private const int SentinelEtherType = 0x88b5; // IEEE 802 local experimental: the router ignores it.
    private const int AllEtherTypes = 3;
    private const int Mtu = 65535;

    private readonly NetworkLab _lab = new();
    private readonly RefereeOptions _options;
    private readonly NetworkNamespace _peer;
    private readonly PacketSocket _inside;
    private readonly PacketSocket _outside;
    private readonly PacketSocket _insideReceiver;
    private readonly PacketSocket _outsideReceiver;
    private readonly PacketSocket _insideTap;
    private readonly PacketSocket _outsideTap;
    private readonly ConntrackNetlink _netlink;
    private readonly byte[] _sendBuffer = new byte[EthernetHeaderBytes + Mtu];
    private readonly byte[] _receiveBuffer = new byte[EthernetHeaderBytes + Mtu + 1];
    private readonly byte[] _sentinel = new byte[60];
    private readonly List<byte[]> _forwarded = [];
    private byte[] _insideAddress = [];
    private byte[] _outsideAddress = [];
    private uint _sentinels;
    private bool _keepForwarded;

    public KernelReferee(RefereeOptions? options = null)
    {
        _options = options ?? new RefereeOptions();
        try
        {
            Router = _lab.AddNamespace("r");
            _peer = _lab.AddNamespace("p");
            BuildNetwork();
            _inside = PacketSocket.Open(_peer, "pin", 0);
            _outside = PacketSocket.Open(_peer, "pout", 0);
            _insideReceiver = PacketSocket.Open(_peer, "pin", AllEtherTypes);
            _outsideReceiver = PacketSocket.Open(_peer, "pout", AllEtherTypes);
            _insideTap = PacketSocket.Open(Router, _options.InputInterface, SentinelEtherType);
            _outsideTap = PacketSocket.Open(Router, _options.OutputInterface, SentinelEtherType);
            _insideAddress = _insideTap.HardwareAddress;
            _outsideAddress = _outsideTap.HardwareAddress;
            _netlink = ConntrackNetlink.Open(Router);
            LoadRules();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The router's namespace, for commands of the test's own.</summary>
    public NetworkNamespace Router { get; }

    /// <summary>The source Ethernet address of injected packets.</summary>
    public byte[] SourceHardwareAddress { get; init; } = [2, 0, 0, 0, 0, 1];

    /// <summary>The destination Ethernet address of injected packets, for those that a link layer addresses to more than the router; null
    /// for the router's own.</summary>
    public byte[]? DestinationHardwareAddress { get; set; }

    /// <summary>The IP packets that left for the last <see cref="Send"/>, in order (several where the router fragments), kept only when
    /// this was asked for by <see cref="KeepForwarded"/>.</summary>
    public IReadOnlyList<byte[]> Forwarded => _forwarded;

    /// <summary>Whether <see cref="Forwarded"/> is filled.</summary>
    public bool KeepForwarded
    {
        get => _keepForwarded;
        set
        {
            _keepForwarded = value;
            _forwarded.Clear();
        }
    }

    /// <summary>Sends an IP packet in by the input interface and says what became of it.</summary>
    public TrackedState Send(ReadOnlySpan<byte> packet) => Inject(packet, _inside, _insideTap, _insideAddress);

    /// <summary>Sends an IP packet in by the output interface (see <see cref="RefereeOptions.InsidePrefixes"/>).</summary>
    public TrackedState SendFromOutside(ReadOnlySpan<byte> packet) => Inject(packet, _outside, _outsideTap, _outsideAddress);

    /// <summary>Removes every connection, and with them every expectation.</summary>
    public void Flush() => _netlink.Flush();

    /// <summary>The connection table, in the kernel's order.</summary>
    public IReadOnlyList<KernelConnection> Connections() => _netlink.Connections();

    /// <summary>The expectations.</summary>
    public IReadOnlyList<KernelExpectation> Expectations() => _netlink.Expectations();

    /// <summary>What <c>conntrack -L -o extended</c> prints, with further arguments such as <c>-f ipv6</c>.</summary>
    public string ListConnections(params string[] arguments) => Router.Execute("conntrack", ["-L", "-o", "extended", .. arguments]);

    /// <summary>What <c>conntrack -L expect</c> prints.</summary>
    public string ListExpectations(params string[] arguments) => Router.Execute("conntrack", ["-L", "expect", .. arguments]);

    /// <summary>What <c>iptables-save -c</c> prints (or its IPv6 sister).</summary>
    public string SaveRules(bool ipv6 = false, bool counters = true)
        => Router.Execute(Program(ipv6, "-save"), counters ? ["-c"] : []);

    /// <summary>What <c>iptables -t TABLE -L -v -n -x</c> prints (or its IPv6 sister).</summary>
    public string ListRules(string table = "filter", bool ipv6 = false)
        => Router.Execute(Program(ipv6, ""), ["-t", table, "-L", "-v", "-n", "-x"]);

    /// <summary>Loads iptables-restore text in the place of all rules of the tables it has (or of its IPv6 sister).</summary>
    public CommandResult RestoreRules(string text, bool ipv6 = false) => Router.TryExecute(Program(ipv6, "-restore"), ["-c"], text);

    /// <summary>Sets every counter of the four usual tables of both families to zero.</summary>
    public void ZeroCounters()
    {
        foreach (var table in (string[])["raw", "mangle", "filter"])
        {
            Router.Execute(Program(false, ""), ["-t", table, "-Z"]);
            Router.Execute(Program(true, ""), ["-t", table, "-Z"]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Fields are null where the constructor failed half way.
        foreach (var socket in (PacketSocket?[])[_inside, _outside, _insideReceiver, _outsideReceiver, _insideTap, _outsideTap])
            socket?.Dispose();
        _netlink?.Dispose();
        _lab.Dispose();
    }

    private TrackedState Inject(ReadOnlySpan<byte> packet, PacketSocket sender, PacketSocket tap, byte[] router)
    {
        if (_keepForwarded) _forwarded.Clear();
        if (packet.IsEmpty) return TrackedState.None;
        (DestinationHardwareAddress ?? router).CopyTo(_sendBuffer, 0);
        SourceHardwareAddress.CopyTo(_sendBuffer, 6);
        var ipv6 = packet[0] >> 4 == 6;
        _sendBuffer[12] = (byte)(ipv6 ? 0x86 : 0x08);
        _sendBuffer[13] = (byte)(ipv6 ? 0xdd : 0x00);
        packet.CopyTo(_sendBuffer.AsSpan(EthernetHeaderBytes));

        var cpu = Tmds.Linux.LibC.sched_getcpu();
        sender.Send(_sendBuffer.AsSpan(0, EthernetHeaderBytes + packet.Length));
        var state = Collect();
        // Of a packet that the router fragments, the rest may be behind.
        if (state == TrackedState.None || IsFragment(packet, ipv6))
        {
            Synchronize(sender, tap, router, cpu);
            var late = Collect();
            if (state == TrackedState.None) state = late;
        }
        return state;
    }

    /// <summary>
    /// Returns when all that was sent before is through. The first sentinel is seen inside the router once the packet went through its
    /// stack; what the stack put out is queued for the far end of the other veth pair ahead of the second sentinel. Queues are one a
    /// processor, so the sentinels go by the one that the packet went by.
    /// </summary>
    private void Synchronize(PacketSocket sender, PacketSocket tap, byte[] router, int cpu)
    {
        using var pin = ProcessorPin.To(cpu);
        for (var round = 0; round < 2; round++)
        {
            _sentinels++;
            router.CopyTo(_sentinel, 0);
            SourceHardwareAddress.CopyTo(_sentinel, 6);
            _sentinel[12] = SentinelEtherType >> 8;
            _sentinel[13] = SentinelEtherType & 0xff;
            BitConverter.TryWriteBytes(_sentinel.AsSpan(EthernetHeaderBytes), _sentinels);
            sender.Send(_sentinel);
            while (true)
            {
                var length = tap.Receive(_receiveBuffer);
                if (length >= EthernetHeaderBytes + 4 && BitConverter.ToUInt32(_receiveBuffer, EthernetHeaderBytes) == _sentinels) break;
                if (length < 0 && !tap.Wait(TimeSpan.FromSeconds(10)))
                    throw new CommandFailedException("the router does not let a sentinel frame through");
            }
        }
    }

    private static bool IsFragment(ReadOnlySpan<byte> packet, bool ipv6)
        => ipv6 ? packet.Length > 6 && packet[6] is 44 or 0 or 60 or 43 : packet.Length > 7 && (packet[6] & 0x3f | packet[7]) != 0;

    private TrackedState Collect()
    {
        var state = Collect(_outsideReceiver);
        if (_options.InsidePrefixes.Count == 0 && _options.LocalAddresses.Count == 0) return state;
        var back = Collect(_insideReceiver);
        return state == TrackedState.None ? back : state;
    }

    private TrackedState Collect(PacketSocket receiver)
    {
        var state = TrackedState.None;
        while (receiver.Receive(_receiveBuffer) is var length and >= 0)
        {
            var packet = _receiveBuffer.AsSpan(0, length)[Math.Min(EthernetHeaderBytes, length)..];
            if (packet.Length < 20 || _receiveBuffer[12] == SentinelEtherType >> 8) continue;
            var version = packet[0] >> 4;
            var dscp = version == 4 ? packet[1] >> 2 : ((packet[0] & 15) << 4 | packet[1] >> 4) >> 2;
            var ruled = (version == 4 ? _options.Rules4 : _options.Rules6) is not null;
            // Without rules of the test's own, a packet that carries no mark is one that the router itself made up.
            if (!ruled && dscp is < (int)TrackedState.Invalid or > (int)TrackedState.Untracked) continue;
            if (_keepForwarded) _forwarded.Add(packet.ToArray());
            if (state == TrackedState.None) state = ruled ? TrackedState.Forwarded : (TrackedState)dscp;
        }
        return state;
    }

    private void BuildNetwork()
    {
        string inside = _options.InputInterface, outside = _options.OutputInterface;
        NetworkLab.AddVeth(Router, inside, _peer, "pin", Mtu);
        NetworkLab.AddVeth(Router, outside, _peer, "pout", Mtu);

        // All of it before the links come up: no solicitations or addresses of the kernel's own on the wire.
        Router.SetSysctl("net.ipv4.ip_forward", "1");
        Router.SetSysctl("net.ipv6.conf.all.forwarding", "1");
        Router.SetSysctl("net.ipv4.icmp_ratelimit", "0");
        foreach (var name in (string[])["all", "default", inside, outside])
        {
            var conf = "net/ipv4/conf/" + name;
            Router.SetSysctl(conf + "/rp_filter", "0");
            Router.SetSysctl(conf + "/accept_local", "1");
            Router.SetSysctl(conf + "/send_redirects", "0");
        }
        foreach (var name in (string[])[inside, outside])
        {
            Router.SetSysctl($"net/ipv6/conf/{name}/addr_gen_mode", "1");
            Router.SetSysctl($"net/ipv6/conf/{name}/accept_dad", "0");
        }
        foreach (var name in (string[])["pin", "pout"])
        {
            _peer.SetSysctl($"net/ipv6/conf/{name}/disable_ipv6", "1");
            _peer.Ip($"link set {name} up promisc on");
        }
        Router.Ip($"link set {inside} arp off up");
        Router.Ip($"link set {outside} arp off up");
        // By way of one neighbour: a neighbour for each destination would overflow the kernel's table of them, and lose packets.
        Router.Ip($"route add default via 198.18.0.1 dev {outside} onlink");
        Router.Ip($"-6 route add default via fe80::1 dev {outside} onlink");
        foreach (var address in _options.LocalAddresses)
            Router.Ip($"addr add {address}/{(address.Contains(':') ? 128 : 32)} dev lo");
        foreach (var prefix in _options.InsidePrefixes)
            Router.Ip($"{(prefix.Contains(':') ? "-6 " : "")}route add {prefix} via {(prefix.Contains(':') ? "fe80::2" : "198.18.0.2")} dev {inside} onlink");
    }

    private void LoadRules()
    {
        Load(_options.Rules4 ?? MarkRules(), ipv6: false);
        Load(_options.Rules6 ?? MarkRules(), ipv6: true);
        // These exist once conntrack is in use in the namespace, which the rules saw to.
        SetSysctl("net.netfilter.nf_conntrack_checksum", "0");
        SetSysctl("net.netfilter.nf_conntrack_acct", "1");
        foreach (var (name, value) in _options.Sysctls) SetSysctl(name, value);
    }

    private void SetSysctl(string name, string value)
    {
        if (!_options.Sysctls.TryGetValue(name, out var wanted)) wanted = value;
        Router.SetSysctl(name, wanted);
    }

    private void Load(string text, bool ipv6)
    {
        var result = RestoreRules(text, ipv6);
        if (result.ExitCode != 0)
            throw new CommandFailedException($"{Program(ipv6, "-restore")}: exit {result.ExitCode}\n{result.Error}\n{text}");
    }

    private string MarkRules()
    {
        var text = new StringBuilder("*raw\n");
        foreach (var rule in _options.RawRules) text.Append(rule).Append('\n');
        foreach (var rule in _options.Helpers)
            text.Append(CultureInfo.InvariantCulture, $"-A PREROUTING -p {rule.Protocol} --dport {rule.Port} -j CT --helper {rule.Helper}\n");
        text.Append("COMMIT\n*mangle\n");
        for (var state = TrackedState.Invalid; state <= TrackedState.Untracked; state++)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"-A FORWARD -m conntrack --ctstate {state.ToString().ToUpperInvariant()} -j DSCP --set-dscp {(int)state}\n");
        }
        return text.Append("COMMIT\n").ToString();
    }

    private string Program(bool ipv6, string suffix) => (ipv6 ? "ip6tables" : "iptables") + _options.Backend + suffix;
}
