using FwCluster.Packets;

namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>
/// A firewall that runs in a namespace: the kernel's, by which a test shows that it asks for what is right, or FwCluster's. Disposing
/// stops it.
/// </summary>
internal interface IFirewallUnderTest : IDisposable
{
    /// <summary>The counters, as <c>iptables -L -v -n -x</c> prints them.</summary>
    string ListRules(IpFamily family);

    /// <summary>The connections of both families, as <c>conntrack -L</c> prints them.</summary>
    string ListConnections();

    /// <summary>Sets all counters to zero.</summary>
    void ZeroCounters();
}
