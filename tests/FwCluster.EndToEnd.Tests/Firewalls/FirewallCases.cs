using FwCluster.EndToEnd.Tests.Networks;

namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>The rows of tests that run with each firewall at each place.</summary>
public static class FirewallCases
{
    public static TheoryData<FirewallKind, FirewallPlace> All => new()
    {
        { FirewallKind.Kernel, FirewallPlace.Host },
        { FirewallKind.Kernel, FirewallPlace.Gateway },
        { FirewallKind.FwCluster, FirewallPlace.Host },
        { FirewallKind.FwCluster, FirewallPlace.Gateway },
    };
}
