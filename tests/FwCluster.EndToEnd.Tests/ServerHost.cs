using System.Globalization;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests;

/// <summary>
/// A host in a namespace that takes part in a conversation without knowing: what the capture says it received comes in by its
/// interface, and what the capture says it sent leaves it through a raw socket. So both meet the kernel's rules and connection
/// tracking in the capture's order. What its own TCP would answer (it knows none of the connections, and says RST) is dropped in
/// the raw table, which OUTPUT packets meet before tracking and before the filter table's counters.
/// </summary>
internal sealed class ServerHost : IDisposable
{
    private const int CaptureMark = 1;
    private const int EthernetHeaderBytes = 14;
    private const ushort SentinelEtherType = 0x88b5; // IEEE 802, for local experiments: the host ignores it.
    private const string Interface = "eth0";
    private const string PeerInterface = "peer0";
    private static readonly byte[] PeerHardwareAddress = [2, 0, 0, 0, 0, 2];

    private readonly NetworkLab _lab = new();
    private readonly NetworkNamespace _host;
    private readonly PacketSocket _wire;
    private readonly PacketSocket _tap;
    private readonly RawIpSocket _own;
    private readonly uint _address;
    private readonly byte[] _frame = new byte[EthernetHeaderBytes + ushort.MaxValue];
    private readonly byte[] _received = new byte[EthernetHeaderBytes + ushort.MaxValue];

    /// <summary>Makes the host.</summary>
    /// <param name="address">Its IPv4 address.</param>
    /// <param name="peer">The address of the host at the other end of the cable.</param>
    public ServerHost(string address, string peer)
    {
        _address = BitConverter.ToUInt32(System.Net.IPAddress.Parse(address).GetAddressBytes());
        try
        {
            _host = _lab.AddNamespace("host");
            var other = _lab.AddNamespace("peer");
            NetworkLab.AddVeth(_host, Interface, other, PeerInterface);
            foreach (var (place, name) in ((NetworkNamespace, string)[])[(_host, Interface), (other, PeerInterface)])
            {
                place.SetSysctl($"net/ipv6/conf/{name}/disable_ipv6", "1");
                place.Ip($"link set {name} arp off up");
            }
            _host.Ip($"address add {address}/24 dev {Interface}");
            // Not the other end's real address: it is never tempted to answer.
            _host.Ip($"neigh replace {peer} dev {Interface} lladdr {Convert.ToHexString(PeerHardwareAddress).Insert(10, ":").Insert(8, ":")
                .Insert(6, ":").Insert(4, ":").Insert(2, ":")} nud permanent");
            _host.Execute("iptables", ["-t", "raw", "-A", "OUTPUT", "-m", "mark", "!", "--mark",
                CaptureMark.ToString(CultureInfo.InvariantCulture), "-j", "DROP"]);
            _wire = PacketSocket.Open(other, PeerInterface, 0);
            _tap = PacketSocket.Open(_host, Interface, SentinelEtherType);
            _own = RawIpSocket.Open(_host, CaptureMark);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs a rule file of <c>iptables</c> command lines on the host, as a person would.</summary>
    public void RunRules(string file) => _host.Execute("sh", ["-e", file]);

    /// <summary>Lets the ftp helper read the control connections to port 21.</summary>
    public void AttachFtpHelper()
        => _host.Execute("iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp");

    /// <summary>Lets the packets pass the host one after another; those of other protocols than IPv4 are left out.</summary>
    /// <returns>How many IPv4 packets there were, and their bytes.</returns>
    public (int Packets, long Bytes) Replay(IEnumerable<byte[]> ethernetFrames)
    {
        // One processor, so one queue between the two ends of the cable: the sentinel is behind the packet.
        using var pin = ProcessorPin.To(Tmds.Linux.LibC.sched_getcpu());
        var packets = 0;
        var bytes = 0L;
        foreach (var frame in ethernetFrames)
        {
            if (frame[12] != 0x08 || frame[13] != 0x00) continue;
            var packet = frame.AsSpan(EthernetHeaderBytes);
            packet = packet[..(packet[2] << 8 | packet[3])];
            if (BitConverter.ToUInt32(packet[12..]) == _address) _own.Send(packet);
            else ComeIn(packet);
            packets++;
            bytes += packet.Length;
        }
        return (packets, bytes);
    }

    /// <summary>What <c>iptables -L -v -n -x</c> prints.</summary>
    public string ListRules() => _host.Execute("iptables -L -v -n -x");

    /// <summary>What <c>iptables-save -t filter</c> prints.</summary>
    public string SaveFilterTable() => _host.Execute("iptables-save -t filter");

    /// <inheritdoc/>
    public void Dispose()
    {
        // Null where the constructor failed half way.
        foreach (var socket in (IDisposable?[])[_wire, _tap, _own]) socket?.Dispose();
        _lab.Dispose();
    }

    private void ComeIn(ReadOnlySpan<byte> packet)
    {
        _tap.HardwareAddress.CopyTo(_frame, 0);
        PeerHardwareAddress.CopyTo(_frame, 6);
        (_frame[12], _frame[13]) = (0x08, 0x00);
        packet.CopyTo(_frame.AsSpan(EthernetHeaderBytes));
        _wire.Send(_frame.AsSpan(0, EthernetHeaderBytes + packet.Length));

        // The host's stack takes frames in order: when this one is there, the packet has met all rules.
        (_frame[12], _frame[13]) = (SentinelEtherType >> 8, SentinelEtherType & 0xff);
        _wire.Send(_frame.AsSpan(0, 60));
        while (_tap.Receive(_received) < 0)
        {
            if (!_tap.Wait(TimeSpan.FromSeconds(10))) throw new CommandFailedException("the host lost a sentinel frame");
        }
    }
}
