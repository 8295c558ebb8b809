using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>Which firewall a test runs with.</summary>
public enum FirewallKind
{
    /// <summary>iptables and nf_conntrack, which show that the test asks for what is right.</summary>
    Kernel,

    /// <summary>fwclusterd.</summary>
    FwCluster,
}

/// <summary>Starts firewalls.</summary>
internal static class FirewallKinds
{
    /// <summary>Starts one in a namespace; when this returns it decides every packet there.</summary>
    public static IFirewallUnderTest Start(this FirewallKind kind, NetworkNamespace where, FirewallSetup setup) => kind switch
    {
        FirewallKind.Kernel => new KernelFirewall(where, setup),
        FirewallKind.FwCluster => new FwClusterFirewall(where, setup),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
