using System.Buffers.Binary;
using System.Text;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;

namespace FwCluster.Datapath.Tests.Reject;

/// <summary>A kernel whose rules reject everything to certain addresses, one for each type of rejection: some its own (INPUT), some
/// behind it (FORWARD).</summary>
internal sealed class RejectKernel : IDisposable
{
    public static readonly RejectType[] IPv4Types =
        [.. Enum.GetValues<RejectType>().Where(type => type <= RejectType.IcmpAdminProhibited), RejectType.TcpReset];

    public static readonly RejectType[] IPv6Types =
        [.. Enum.GetValues<RejectType>().Where(type => type >= RejectType.Icmp6NoRoute)];

    /// <summary>UDP to this port does not leave the router.</summary>
    public const ushort OutputPort = 4321;

    private readonly KernelReferee _referee;
    private readonly HostAddresses _host;

    public RejectKernel(params string[] furtherAddresses)
    {
        string[] local = [.. IPv4Types.Select(type => Local(IpFamily.IPv4, type)), .. IPv6Types.Select(type => Local(IpFamily.IPv6, type))];
        _referee = new KernelReferee(new RefereeOptions
        {
            Rules4 = Rules(IpFamily.IPv4, IPv4Types),
            Rules6 = Rules(IpFamily.IPv6, IPv6Types),
            LocalAddresses = local,
            Sysctls = new Dictionary<string, string>
            {
                ["net.ipv4.icmp_ratemask"] = "0",
                ["net.ipv6.icmp.ratelimit"] = "0",
                ["net.ipv4.icmp_msgs_per_sec"] = "1000000",
                ["net.ipv4.icmp_msgs_burst"] = "1000000",
            },
        })
        {
            KeepForwarded = true,
        };
        // Checksums are not left to a device that is not there.
        _referee.Router.Execute("ethtool", ["-K", "rout", "tx", "off"]);
        foreach (var address in furtherAddresses) _referee.Router.Ip($"addr add {address} brd + dev rin");
        _host = PacketAtHook.Host([.. local, .. furtherAddresses]);
    }

    public KernelReferee Referee => _referee;

    public static string Local(IpFamily family, RejectType type)
        => (family == IpFamily.IPv4 ? "192.0.2." : "2001:db8::") + (10 + (int)type);

    public static string Behind(IpFamily family, RejectType type)
        => (family == IpFamily.IPv4 ? "203.0.113." : "2001:db8:1::") + (10 + (int)type);

    /// <summary>What the kernel answers: an empty array for nothing.</summary>
    public byte[] Ask(byte[] packet)
    {
        _referee.Send(packet);
        // Among what leaves there are multicast reports of the kernel's own.
        var answers = _referee.Forwarded.Where(answer => Destination(answer).SequenceEqual(Source(packet))).ToList();
        Assert.True(answers.Count <= 1, "more than one packet came back");
        return answers.Count == 0 ? [] : answers[0];
    }

    /// <summary>What the product answers, with what the kernel draws taken from the kernel's answer: the IPv4 identification of an
    /// ICMP error, the flow label of an ICMPv6 error, and which of this host's addresses the route prefers.</summary>
    public byte[] Answer(RejectType type, Hook hook, byte[] packet, byte[] kernels, LinkHeader link = default, long now = 0,
        bool trustChecksum = false)
    {
        var atHook = new PacketAtHook { Hook = hook, Packet = packet, Addresses = _host, Link = link, Now = now };
        var route = RouteOf(packet, kernels) with { ChecksumIsTrusted = trustChecksum };
        var answer = new byte[RejectAnswer.MaxBytes];
        var length = atHook.With((in PacketContext context) => RejectAnswer.Write(type, in context, in route, answer));
        return answer[..length];
    }

    public void Dispose() => _referee.Dispose();

    private static ReadOnlySpan<byte> Source(byte[] packet) => packet[0] >> 4 == 4 ? packet.AsSpan(12, 4) : packet.AsSpan(8, 16);

    private static ReadOnlySpan<byte> Destination(byte[] packet) => packet[0] >> 4 == 4 ? packet.AsSpan(16, 4) : packet.AsSpan(24, 16);

    private RejectRoute RouteOf(byte[] packet, byte[] kernels)
    {
        if (kernels.Length == 0) return new RejectRoute { Source = new IpAddress(0x20010db8_00000000, 0x9999) };
        var isIPv4 = packet[0] >> 4 == 4;
        var family = isIPv4 ? IpFamily.IPv4 : IpFamily.IPv6;
        var source = isIPv4 ? IpAddress.ReadIPv4(kernels.AsSpan(12)) : IpAddress.ReadIPv6(kernels.AsSpan(8));
        var isError = kernels[isIPv4 ? 9 : 6] != IpProtocol.Tcp;
        return new RejectRoute
        {
            Source = _host.TypeOf(family, source).HasFlag(AddressType.Local) ? source : default,
            Identification = isIPv4 && isError ? BinaryPrimitives.ReadUInt16BigEndian(kernels.AsSpan(4)) : (ushort)0,
            FlowLabel = !isIPv4 && isError ? BinaryPrimitives.ReadUInt32BigEndian(kernels) & 0xfffff : 0,
        };
    }

    private static string Rules(IpFamily family, RejectType[] types)
    {
        var text = new StringBuilder("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate INVALID\n");
        foreach (var type in types)
        {
            var protocol = type == RejectType.TcpReset ? "-p tcp " : "";
            text.Append($"-A INPUT -d {Local(family, type)} {protocol}-j REJECT --reject-with {type.Name()}\n");
            text.Append($"-A FORWARD -d {Behind(family, type)} {protocol}-j REJECT --reject-with {type.Name()}\n");
        }
        text.Append($"-A OUTPUT -p udp --dport {OutputPort} -j REJECT\n");
        // Broadcast and multicast come here.
        text.Append("-A INPUT -p tcp -j REJECT --reject-with tcp-reset\n-A INPUT -j REJECT\nCOMMIT\n");
        return text.ToString();
    }
}
