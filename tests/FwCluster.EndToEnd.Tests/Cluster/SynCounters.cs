using System.Globalization;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Cluster;

/// <summary>What TCP of a namespace had to say again, by the kernel's own counters.</summary>
internal static class SynCounters
{
    /// <summary>SYN and SYN-ACK that were sent again, TcpExtTCPSynRetrans.</summary>
    public static long SynRetransmissions(this NetworkNamespace where)
    {
        // /proc/net is that of the process's first thread.
        var lines = where.Run(() => File.ReadAllLines("/proc/thread-self/net/netstat"))
            .Where(line => line.StartsWith("TcpExt:", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToArray();
        return long.Parse(lines[1][Array.IndexOf(lines[0], "TCPSynRetrans")], CultureInfo.InvariantCulture);
    }
}
