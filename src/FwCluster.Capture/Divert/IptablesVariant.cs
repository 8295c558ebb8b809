namespace FwCluster.Capture.Divert;

/// <summary>Which iptables writes the rules. The kernel obeys both; rules that both have written make a host hard to understand.</summary>
public enum IptablesVariant
{
    /// <summary>The one that has rules here already; where both or neither have, the one that <c>iptables-restore</c> is.</summary>
    Host,

    /// <summary>iptables-nft-restore: rules in nf_tables.</summary>
    Nft,

    /// <summary>iptables-legacy-restore: rules in ip_tables.</summary>
    Legacy,
}
