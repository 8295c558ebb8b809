using System.Net.Sockets;
using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;

namespace FwCluster.EndToEnd.Tests.Refusals;

/// <summary>Connections that are tried, in both families side by side.</summary>
internal static class Attempts
{
    public static void InBothFamilies(FirewallKind kind, FirewallPlace place, Action<TestNetwork, IpFamily> test)
    {
        using var network = new TestNetwork(place);
        using var firewall = kind.Start(network.Firewall, FtpRules.Strict(place));
        Parallel.ForEach(IpFamilies.Both, family => test(network, family));
    }

    public static void Passed(Socket? connection)
    {
        Assert.NotNull(connection);
        connection.Dispose();
    }

    public static void Refused(Socket? connection)
    {
        var passed = connection is not null;
        connection?.Dispose();
        Assert.False(passed, "the connection passed");
    }
}
