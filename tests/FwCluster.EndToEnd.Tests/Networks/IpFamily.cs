namespace FwCluster.EndToEnd.Tests.Networks;

/// <summary>The internet protocol that a test speaks.</summary>
public enum IpFamily
{
    IPv4,
    IPv6,
}
