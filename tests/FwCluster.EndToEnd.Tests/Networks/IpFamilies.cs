using FwCluster.Packets;

namespace FwCluster.EndToEnd.Tests.Networks;

/// <summary>The families that every test network speaks.</summary>
internal static class IpFamilies
{
    public static readonly IpFamily[] Both = [IpFamily.IPv4, IpFamily.IPv6];
}
