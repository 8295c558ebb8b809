namespace FwCluster.Differential.Engines;

/// <summary>The settings of tracking that a run varies, by their sysctl names.</summary>
public sealed record TrackingOptions
{
    /// <summary>nf_conntrack_tcp_loose.</summary>
    public bool TcpLoose { get; init; } = true;

    /// <summary>nf_conntrack_tcp_be_liberal.</summary>
    public bool TcpBeLiberal { get; init; }

    /// <summary>nf_conntrack_tcp_ignore_invalid_rst.</summary>
    public bool TcpIgnoreInvalidRst { get; init; }

    /// <summary>nf_conntrack_tcp_max_retrans.</summary>
    public byte TcpMaxRetransmissions { get; init; } = 3;

    /// <summary>nf_conntrack_checksum.</summary>
    public bool VerifyChecksums { get; init; }

    /// <summary>Timeouts that differ from the kernel's defaults, in seconds, by what follows <c>nf_conntrack_</c> in the sysctl's name:
    /// <c>tcp_timeout_close</c>, <c>udp_timeout_stream</c>.</summary>
    public IReadOnlyDictionary<string, int> Timeouts { get; init; } = new Dictionary<string, int>();

    /// <summary>Draws settings: the defaults as often as not.</summary>
    public static TrackingOptions Draw(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (random.Next(2) == 0) return new TrackingOptions();
        return new TrackingOptions
        {
            TcpLoose = random.Next(3) != 0,
            TcpBeLiberal = random.Next(3) == 0,
            TcpIgnoreInvalidRst = random.Next(3) == 0,
            TcpMaxRetransmissions = (byte)random.Next(5),
            VerifyChecksums = random.Next(2) == 0,
        };
    }

    public override string ToString()
        => $"tcp_loose={(TcpLoose ? 1 : 0)} tcp_be_liberal={(TcpBeLiberal ? 1 : 0)} tcp_ignore_invalid_rst={(TcpIgnoreInvalidRst ? 1 : 0)} "
            + $"tcp_max_retrans={TcpMaxRetransmissions} checksum={(VerifyChecksums ? 1 : 0)}"
            + string.Concat(Timeouts.Select(timeout => $" {timeout.Key}={timeout.Value}"));
}
