using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FwCluster.Cluster;

/// <summary>Nodes to join by, as people write them.</summary>
internal static class SeedAddresses
{
    /// <summary>Reads <c>host</c>, <c>host:port</c>, <c>[IPv6]</c> or <c>[IPv6]:port</c>.</summary>
    /// <exception cref="ClusterSettingsException">It is neither.</exception>
    public static (string Host, int Port) Parse(string seed)
    {
        var text = seed.Trim();
        var (host, rest) = text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var close
            ? (text[1..close], text[(close + 1)..])
            : text.LastIndexOf(':') is >= 0 and var colon ? (text[..colon], text[colon..]) : (text, "");
        var port = ClusterSettings.DefaultPort;
        var isPort = rest.Length == 0
            || (rest[0] == ':' && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= IPEndPoint.MaxPort);
        if (host.Length == 0 || !isPort || Uri.CheckHostName(host) == UriHostNameType.Unknown)
            throw new ClusterSettingsException($"seeds: '{seed}' is no node; 'host' or 'host:port' is, '[address]:port' with IPv6");
        return (host, port);
    }

    /// <summary>Finds the addresses of all seeds: a name stands for all of its own.</summary>
    /// <param name="seeds">As people write them.</param>
    /// <param name="resolve">Asks the DNS.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <returns>Without duplicates, in an order that is the same on every node: the first of them may begin the cluster. Names that nobody knows are
    /// left out.</returns>
    public static async Task<IReadOnlyList<(string Host, int Port)>> ResolveAsync(
        IEnumerable<string> seeds, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellation)
    {
        var found = new List<(string Host, int Port)>();
        foreach (var (host, port) in seeds.Select(Parse))
        {
            try
            {
                var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellation).ConfigureAwait(false);
                found.AddRange(addresses.Select(a => a.ToString()).Order(StringComparer.Ordinal).Select(a => (a, port)));
            }
            catch (SocketException)
            {
                // Nobody by that name yet: the others are asked.
            }
        }
        return [.. found.Distinct()];
    }
}
