namespace FwCluster.Referee;

/// <summary>How the referee's router is set up.</summary>
public sealed record RefereeOptions
{
    /// <summary>The interface that packets come in by.</summary>
    public string InputInterface { get; init; } = "rin";

    /// <summary>The interface that the default routes lead out of.</summary>
    public string OutputInterface { get; init; } = "rout";

    /// <summary>Sysctls set before the first packet, such as <c>net.netfilter.nf_conntrack_tcp_loose</c> = <c>0</c>. Byte accounting
    /// (<c>nf_conntrack_acct</c>) is on and checksum verification off unless set here.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Helper rules of the raw table, both families. Ignored for a family whose rules are given.</summary>
    public IReadOnlyList<HelperRule> Helpers { get; init; } = [HelperRule.Ftp];

    /// <summary>Further rules of the raw table in iptables-restore form (<c>-A PREROUTING ... -j CT --notrack</c>), both families,
    /// before the helper rules. Ignored for a family whose rules are given.</summary>
    public IReadOnlyList<string> RawRules { get; init; } = [];

    /// <summary>iptables-restore text that stands in the place of marks and helpers for IPv4. Then <see cref="KernelReferee.Send"/> can
    /// only say <see cref="TrackedState.Forwarded"/> or <see cref="TrackedState.None"/>.</summary>
    public string? Rules4 { get; init; }

    /// <summary>The same for IPv6 (ip6tables-restore).</summary>
    public string? Rules6 { get; init; }

    /// <summary>Addresses of the router itself; packets to them meet INPUT.</summary>
    public IReadOnlyList<string> LocalAddresses { get; init; } = [];

    /// <summary>Prefixes that are routed back out of the input interface, for rulesets that name interfaces; what
    /// <see cref="KernelReferee.SendFromOutside"/> sends to them comes in by the output interface.</summary>
    public IReadOnlyList<string> InsidePrefixes { get; init; } = [];

    /// <summary>What comes behind "iptables" and "ip6tables" in the programs' names: "" for the machine's default, "-nft" or "-legacy".
    /// </summary>
    public string Backend { get; init; } = "";
}
