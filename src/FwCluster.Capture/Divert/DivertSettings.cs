using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>Which packets are diverted to which queues.</summary>
public sealed record DivertSettings
{
    /// <summary>The first queue, 0 to 65535.</summary>
    public int FirstQueue { get; init; }

    /// <summary>How many queues, from the first on; at least 1. The kernel chooses by both addresses, so both directions of a connection, and
    /// all fragments of a packet, are in one queue (nfqueue_hash).</summary>
    public int QueueCount { get; init; } = 1;

    /// <summary>True lets packets pass while nobody listens on the queues (<c>--queue-bypass</c>); false drops them.</summary>
    public bool FailOpen { get; init; }

    /// <summary>Ports whose traffic is never diverted: those by which this host is reached and ruled.</summary>
    public IReadOnlyList<ExemptPort> ExemptPorts { get; init; } = [];

    /// <summary>
    /// TCP ports of which the established connections of this host are never diverted: 22, so that nobody who set up a firewall from afar
    /// has to travel. With no memory, "established" is: ACK set and SYN not. A new connection is decided by the rules.
    /// </summary>
    public IReadOnlyList<int> ExemptEstablished { get; init; } = [22];

    /// <summary>The mark of the answers that this firewall sends to rejected packets (<see cref="Answers.AnswerPort"/>): what this host sends
    /// with exactly this mark is not diverted. Tracking, to which it is nobody's connection, would call it INVALID, where the kernel takes its
    /// own answers for part of the rejected packet's connection. 0 for no such exemption.</summary>
    public uint AnswerMark { get; init; }

    /// <summary>
    /// True has the kernel put fragments together before the hooks, as it does for its own connection tracking, and cut the packet again
    /// on its way out. False leaves fragments as they come. See <see cref="DivertRules"/>.
    /// </summary>
    public bool Reassemble { get; init; } = true;

    /// <summary>
    /// True keeps the kernel's own tracking from diverted packets (<c>CT --notrack</c> in the raw table). False leaves it alone: where no
    /// rule of the host uses tracking the kernel does none, and where one does (NAT, for containers), it works on.
    /// </summary>
    public bool NoTrack { get; init; }

    /// <summary>Where the rules are.</summary>
    public DivertTable Table { get; init; } = DivertTable.Security;

    /// <summary>What writes them.</summary>
    public IptablesVariant Variant { get; init; } = IptablesVariant.Host;

    /// <summary>The families that are diverted; the other one is left alone.</summary>
    public IReadOnlyList<IpFamily> Families { get; init; } = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>How often the rules are looked at, at least 50 ms. A change made with iptables-nft is seen at once, one made with
    /// iptables-legacy at the next look; rules of nf_tables alone, whose changes the kernel announces, are looked at once a minute besides.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(1);

    internal void Check()
    {
        Check(FirstQueue is >= 0 and <= ushort.MaxValue, nameof(FirstQueue), FirstQueue, "0 to 65535");
        Check(QueueCount >= 1 && FirstQueue + QueueCount - 1 <= ushort.MaxValue, nameof(QueueCount), QueueCount,
            $"1 to {ushort.MaxValue - FirstQueue + 1}");
        foreach (var exempt in ExemptPorts)
        {
            Check(exempt.Protocol is IpProtocol.Tcp or IpProtocol.Udp, nameof(ExemptPorts), exempt.Protocol, "of protocol 6 (TCP) or 17 (UDP)");
            Check(exempt.Port is >= 1 and <= ushort.MaxValue, nameof(ExemptPorts), exempt.Port, "a port, 1 to 65535");
        }
        foreach (var port in ExemptEstablished)
            Check(port is >= 1 and <= ushort.MaxValue, nameof(ExemptEstablished), port, "a port, 1 to 65535");
        Check(Families.Count > 0 && Families.All(family => family is IpFamily.IPv4 or IpFamily.IPv6), nameof(Families),
            string.Join(',', Families), "IPv4, IPv6, or both");
        Check(CheckInterval >= TimeSpan.FromMilliseconds(50), nameof(CheckInterval), CheckInterval, "at least 50 ms");
    }

    private static void Check(bool right, string name, object value, string range)
    {
        if (!right) throw new ArgumentException($"divert setting {name} is {value}; it must be {range}", name);
    }
}
