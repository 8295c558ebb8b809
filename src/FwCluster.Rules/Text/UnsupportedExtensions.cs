using System.Collections.Frozen;

namespace FwCluster.Rules.Text;

/// <summary>Extensions that iptables has and this product has not: a message says "not supported" and not "no such thing".</summary>
internal static class UnsupportedExtensions
{
    /// <summary>Names after <c>-m</c>.</summary>
    public static FrozenSet<string> Matches { get; } = new[]
    {
        "ah", "bpf", "cgroup", "cluster", "connbytes", "connlabel", "cpu", "devgroup", "dst", "ecn", "esp", "eui64", "frag", "hbh",
        "ipcomp", "ipv6header", "ipvs", "mh", "nfacct", "osf", "owner", "physdev", "policy", "quota", "rateest", "realm", "rpfilter", "rt",
        "socket", "srh", "string", "u32", "udplite",
    }.ToFrozenSet();

    /// <summary>Names after <c>-j</c>.</summary>
    public static FrozenSet<string> Targets { get; } = new[]
    {
        "AUDIT", "CHECKSUM", "CLASSIFY", "CLUSTERIP", "CONNSECMARK", "DNAT", "DNPT", "ECN", "HL", "HMARK", "IDLETIMER", "LED", "MASQUERADE",
        "NETMAP", "NFQUEUE", "QUEUE", "RATEEST", "REDIRECT", "SECMARK", "SET", "SNAT", "SNPT", "SYNPROXY", "TCPMSS", "TCPOPTSTRIP",
        "TEE", "TPROXY", "TRACE", "TTL", "ULOG",
    }.ToFrozenSet();
}
