using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests.Metrics;

/// <summary>A gateway between two hosts that has everything there is something to tell of: two queues, a cluster, a control plane, files of drops,
/// a collector. Started once, by the first test that asks.</summary>
public sealed class MetricsLab : IDisposable
{
    /// <summary>What its rule about pings is called.</summary>
    public const string Comment = "pings \"as\" seen";

    /// <summary>Where Prometheus asks.</summary>
    public const string Address = "127.0.0.1:9405";

    private static readonly string Fwctl = Path.Combine(AppContext.BaseDirectory, "fwctl");

    private readonly Lazy<Parts> _parts = new(Start);

    internal GatewayLab Net => _parts.Value.Net;

    internal Daemon Daemon => _parts.Value.Daemon;

    internal OtlpReceiver Collector => _parts.Value.Collector;

    internal static string Rules(string comment) => $"""
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p icmp -m comment --comment "{comment.Replace("\"", "\\\"", StringComparison.Ordinal)}" -j ACCEPT
        COMMIT

        """;

    internal string Folder => _parts.Value.Folder;

    /// <summary>Asks as Prometheus does.</summary>
    internal Exposition Scrape() => new(Daemon.Get("metrics"));

    internal string RunFwctl(params string[] words)
        => Command.Run(Fwctl, [.. words, "--endpoint", $"unix:{Path.Combine(_parts.Value.Folder, "control.sock")}"]);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_parts.IsValueCreated) return;
        Daemon.Dispose();
        Collector.Dispose();
        Net.Dispose();
        Directory.Delete(_parts.Value.Folder, recursive: true);
    }

    private static Parts Start()
    {
        var net = new GatewayLab();
        OtlpReceiver? collector = null;
        var folder = Directory.CreateTempSubdirectory("fwtm").FullName;
        try
        {
            collector = new OtlpReceiver(net.Gateway);
            var daemon = new Daemon(net.Gateway, Rules(Comment), $$"""
                cluster: { listen: "127.0.0.1:4053", seeds: "127.0.0.1:4053", key: 000102030405060708090a0b0c0d0e0f, shards: 4 }
                metrics: { listen: "{{Address}}", collector: "http://127.0.0.1:{{OtlpReceiver.GrpcPort}}", collector-seconds: 1 }
                control: { directory: {{folder}}/rulesets, name: gate, socket: {{folder}}/control.sock }
                drops: { directory: {{folder}}/drops }
                """, queues: 2);
            return new Parts(net, collector, daemon, folder);
        }
        catch
        {
            collector?.Dispose();
            net.Dispose();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    private sealed record Parts(GatewayLab Net, OtlpReceiver Collector, Daemon Daemon, string Folder);
}
