using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.DistributedData;

namespace FwCluster.Cluster;

/// <summary>Settings as Akka.NET takes them.</summary>
internal static class ClusterConfiguration
{
    /// <summary>The role by which a member shows that it has the rules that all nodes agree on.</summary>
    public const string RulesAgreed = "rules-agreed";

    private const string FingerprintPrefix = "config-";
    private const string NamePrefix = "name-";

    /// <summary>The part that every node has, with the reason for each setting; below it what Akka.NET's own parts have, whose serializers must be
    /// there before the first message comes.</summary>
    public static Config Reference { get; } = ConfigurationFactory.FromResource("reference.conf", typeof(ClusterConfiguration).Assembly)
        .WithFallback(ClusterSharding.DefaultConfig()).WithFallback(ClusterSingleton.DefaultConfig()).WithFallback(DistributedData.DefaultConfig());

    /// <summary>The configuration of one node.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="address">Its own address: <see cref="ClusterSettings.Host"/>, resolved.</param>
    public static Config Of(ClusterSettings settings, IPAddress address)
    {
        var scheme = settings.IsEncrypted ? "true" : "false";
        var roles = string.Join(", ", settings.Roles.Append(Fingerprint(settings)).Concat(settings.AgreesOnRules ? [RulesAgreed] : [])
            .Concat(NameRole(settings) is { } name ? [name] : []).Select(Quote));
        var text = string.Create(CultureInfo.InvariantCulture, $$"""
            akka.remote.dot-netty.tcp {
              hostname = {{Quote(address.ToString())}}
              port = {{settings.Port}}
              enable-ssl = {{scheme}}
              dns-use-ipv6 = {{(address.AddressFamily == AddressFamily.InterNetworkV6 ? "true" : "false")}}
            }
            akka.cluster.roles = [{{roles}}]
            """);
        return ConfigurationFactory.ParseString(text).WithFallback(Reference);
    }

    /// <summary>What all nodes must agree on, as a role that members show each other: the version of what they say, the shards, and the key, of which it
    /// tells nothing else.</summary>
    public static string Fingerprint(ClusterSettings settings)
    {
        var agreed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"fwcluster.cluster.v1 {settings.Shards}"));
        return FingerprintPrefix + Convert.ToHexStringLower(HMACSHA256.HashData(settings.KeyBytes, agreed))[..16];
    }

    /// <summary>The role by which a member shows its name, where the nodes are told apart by it: agreements on rules are between names. A name may have
    /// signs in it that no role has, so it is in digits.</summary>
    public static string? NameRole(ClusterSettings settings) => settings is { AgreesOnRules: true, NodeName.Length: > 0 }
        ? NamePrefix + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(settings.NodeName))
        : null;

    /// <summary>True where a member's roles show that it agrees.</summary>
    public static bool Agrees(ClusterSettings settings, IEnumerable<string> roles)
        => roles.Contains(Fingerprint(settings));

    /// <summary>This node's own address.</summary>
    /// <exception cref="ClusterSettingsException">Nobody knows its name.</exception>
    public static async Task<IPAddress> ResolveAsync(string host, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(host, out var literal)) return literal;
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false);
            return addresses.OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).First();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            throw new ClusterSettingsException($"host: the name '{host}' has no address: {e.Message}", e);
        }
    }

    private static string Quote(string text) => $"\"{text}\"";
}
