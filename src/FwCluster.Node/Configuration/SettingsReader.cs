using System.Collections;
using System.Globalization;
using System.Net;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Drops;
using FwCluster.Cluster;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Control;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Configuration;

/// <summary>Reads and checks the settings.</summary>
public static class SettingsReader
{
    /// <summary>Reads the settings: the defaults, the file over them, then the environment (<c>FWCLUSTER_QUEUE_NUMBER</c>), then the command
    /// line.</summary>
    /// <param name="file">The configuration file, or null for none.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="assignments"><c>PATH=VALUE</c> of the command line.</param>
    /// <exception cref="SettingsException">A setting is unknown or out of its range; the message names it, its place, and what would be right.</exception>
    public static NodeSettings Read(string? file, IDictionary environment, IEnumerable<string> assignments)
    {
        var values = SettingValues.Collect(file, environment, assignments);
        return new NodeSettings
        {
            Mode = OneOf(values, "mode", ("mirror", NodeMode.Mirror), ("inline", NodeMode.Inline)),
            RulesIPv4 = TextOrNull(values, "rules.ipv4"),
            RulesIPv6 = TextOrNull(values, "rules.ipv6"),
            Sets = TextOrNull(values, "rules.sets"),
            FollowsRules = ReadFollows(values),
            Kubernetes = ReadKubernetes(values, environment),
            QueueLength = Number(values, "queue.length", 1, 1 << 20),
            FailOpen = OneOf(values, "queue.fail", ("closed", false), ("open", true)),
            Divert = new DivertSettings
            {
                FirstQueue = Number(values, "queue.number", 0, ushort.MaxValue),
                QueueCount = Number(values, "queue.count", 1, 64),
                FailOpen = OneOf(values, "queue.fail", ("closed", false), ("open", true)),
                AnswerMark = Mark(values, "queue.answer-mark"),
                ExemptPorts = [.. OptionalList(values, "queue.exempt").Select(word => Exempt(values, "queue.exempt", word))],
                ExemptEstablished = [.. OptionalList(values, "queue.exempt-established").Select(word => Port(values, "queue.exempt-established", word))],
            },
            MirrorInterfaces = List(values, "mirror.interfaces"),
            MirrorBufferBytes = Number(values, "mirror.buffer-mib", 1, 1024) << 20,
            Helpers = ReadHelpers(values, "tracking.helpers"),
            Tracking = ReadTracking(values, "tracking.sysctl."),
            Cluster = ReadCluster(values),
            LogLevel = OneOf(values, "log.level", ("trace", LogLevel.Trace), ("debug", LogLevel.Debug),
                ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            LogJson = OneOf(values, "log.format", ("text", false), ("json", true)),
            LogPacketsWaiting = Number(values, "log.packets-waiting", 1, 65_536),
            Drops = ReadDrops(values),
            StateSocket = TextOrNull(values, "state.socket"),
            Telemetry = ReadTelemetry(values),
            HealthListen = EndPoint(values, "state.health-listen"),
            Control = ReadControl(values),
            File = file,
            Texts = values.Texts,
        };
    }

    private static string? TextOrNull(SettingValues values, string path) => values[path] is { Length: > 0 } text ? text : null;

    private static T OneOf<T>(SettingValues values, string path, params (string Name, T Value)[] choices)
    {
        foreach (var (name, value) in choices)
            if (values[path] == name)
                return value;
        throw values.Wrong(path, string.Join(" or ", choices.Select(c => c.Name)));
    }

    private static int Number(SettingValues values, string path, int least, int most)
        => int.TryParse(values[path], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw values.Wrong(path, $"a number from {least} to {most}");

    private static ClusterSettings? ReadCluster(SettingValues values)
    {
        if (values["cluster.listen"] is not { Length: > 0 } listen) return null;
        if (!TryReadEndpoint(listen, out var host, out var port))
            throw values.Wrong("cluster.listen", $"an address such as 10.0.0.1:{ClusterSettings.DefaultPort}");
        var settings = new ClusterSettings
        {
            Host = host,
            Port = port,
            LinkPort = TextOrNull(values, "cluster.link-port") is null && port > 1 ? port - 1 : Number(values, "cluster.link-port", 1, ushort.MaxValue),
            Name = values["cluster.name"],
            Seeds = OptionalList(values, "cluster.seeds"),
            BeginAfter = TimeSpan.FromSeconds(Number(values, "cluster.begin-after-seconds", 0, 600)),
            Roles = List(values, "cluster.roles"),
            Shards = Number(values, "cluster.shards", 1, 4096),
            Key = values["cluster.key"],
            Certificate = values["cluster.tls.certificate"],
            CertificateKey = values["cluster.tls.key"],
            CertificateAuthority = values["cluster.tls.ca"],
            AgreesOnRules = TextOrNull(values, "control.directory") is not null,
            AllowClearText = OneOf(values, "cluster.allow-clear-text", ("no", false), ("yes", true)),
            NodeName = NodeName(values),
            ControlEndpoint = ControlEndpoint(values, host),
            ExpectationWait = TimeSpan.FromMilliseconds(Number(values, "cluster.expectation-wait-ms", 1, 10_000)),
        };
        try
        {
            return settings.Checked();
        }
        catch (ClusterSettingsException e)
        {
            throw new SettingsException($"cluster.{e.Message}");
        }
    }

    private static string NodeName(SettingValues values) => TextOrNull(values, "control.name") ?? Environment.MachineName;

    /// <summary>Where other nodes reach this one's control plane: where it listens, or, where that is on all addresses, at the cluster's.</summary>
    private static string ControlEndpoint(SettingValues values, string host)
    {
        if (TextOrNull(values, "control.directory") is null || EndPoint(values, "control.listen") is not { } listen) return "";
        var at = listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any) ? host : listen.Address.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"https://{(at.Contains(':', StringComparison.Ordinal) ? $"[{at}]" : at)}:{listen.Port}");
    }

    /// <summary>Reads <c>host</c>, <c>host:port</c> or <c>[address]:port</c>.</summary>
    private static bool TryReadEndpoint(string text, out string host, out int port)
    {
        (host, port) = (text, ClusterSettings.DefaultPort);
        var colon = text.LastIndexOf(':');
        if (colon >= 0 && (text[0] != '[' || colon > text.IndexOf(']', StringComparison.Ordinal)))
        {
            host = text[..colon];
            if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0) return false;
            port = number;
        }
        host = host.Trim('[', ']');
        return host.Length > 0;
    }

    private static DropSettings? ReadDrops(SettingValues values)
    {
        var settings = new DropSettings
        {
            Folder = values["drops.directory"],
            FileBytes = (long)Number(values, "drops.file-mib", 1, 1 << 20) << 20,
            Files = Number(values, "drops.files", 1, 100_000),
        };
        return settings.Folder.Length > 0 ? settings : null;
    }

    private static TelemetrySettings ReadTelemetry(SettingValues values)
    {
        Uri? collector = null;
        if (TextOrNull(values, "metrics.collector") is { } text
            && (!Uri.TryCreate(text, UriKind.Absolute, out collector) || (collector.Scheme != Uri.UriSchemeHttp && collector.Scheme != Uri.UriSchemeHttps)))
            throw values.Wrong("metrics.collector", "an address such as http://192.0.2.1:4317, or empty");
        return new TelemetrySettings(EndPoint(values, "metrics.listen"), Number(values, "metrics.rules", 0, 100_000), collector,
            OneOf(values, "metrics.collector-protocol", ("grpc", false), ("http", true)), TimeSpan.FromSeconds(Number(values, "metrics.collector-seconds", 1, 3600)));
    }

    private static ControlPlaneSettings? ReadControl(SettingValues values)
    {
        var server = new ControlSettings
        {
            Socket = TextOrNull(values, "control.socket"),
            Listen = EndPoint(values, "control.listen"),
            PlainListen = EndPoint(values, "control.plain-listen"),
            Certificate = TextOrNull(values, "control.certificate"),
            Key = TextOrNull(values, "control.key"),
            Authority = TextOrNull(values, "control.authority"),
            Tokens = TextOrNull(values, "control.tokens"),
            Audit = TextOrNull(values, "control.audit"),
            MaxRequestBytes = Number(values, "control.max-request-kib", 64, 1 << 20) << 10,
            CallsPerSecond = Number(values, "control.calls-per-second", 1, 1_000_000),
            StreamsPerCaller = Number(values, "control.streams", 1, 10_000),
            CallTimeout = TimeSpan.FromSeconds(Number(values, "control.call-seconds", 1, 3600)),
        };
        var history = Number(values, "control.history", 2, 1_000_000);
        var wait = TimeSpan.FromSeconds(Number(values, "control.wait-seconds", 1, 3600));
        if (server.PlainListen is { } plain && !IPAddress.IsLoopback(plain.Address))
            throw values.Wrong("control.plain-listen", "a loopback address with a port, such as 127.0.0.1:4055: plain text does not leave the machine");
        if (server.PlainListen is not null && server.Tokens is null)
            throw values.Wrong("control.plain-listen", "empty where there is no control.tokens: nobody could get in");
        if (server.Listen is not null && (server.Certificate is null || server.Key is null))
            throw values.Wrong("control.listen", "empty where there is no control.certificate and control.key; fwctl pki node makes them");
        if (server.Listen is not null && server.Authority is null && server.Tokens is null)
            throw values.Wrong("control.listen", "empty where nobody could get in: there is neither control.authority nor control.tokens");
        return TextOrNull(values, "control.directory") is { } folder
            ? new ControlPlaneSettings(folder, NodeName(values), history, wait, server)
            : null;
    }

    private static bool ReadFollows(SettingValues values)
    {
        var follows = OneOf(values, "rules.follow", ("no", false), ("yes", true));
        if (follows && TextOrNull(values, "control.directory") is null)
            throw values.Wrong("rules.follow", "no where there is no control.directory: it is the control plane that applies rules");
        return follows;
    }

    private static KubernetesSettings? ReadKubernetes(SettingValues values, IDictionary environment)
    {
        if (TextOrNull(values, "kubernetes.config-map") is not { } map) return null;
        if (!OneOf(values, "rules.follow", ("no", false), ("yes", true)))
            throw values.Wrong("kubernetes.config-map", "empty where rules.follow is no: there would be nothing to tell");
        // Both are in every container's environment.
        var (host, port) = (environment["KUBERNETES_SERVICE_HOST"] as string, environment["KUBERNETES_SERVICE_PORT"] as string);
        if (string.IsNullOrEmpty(host) || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw values.Wrong("kubernetes.config-map", "empty outside of a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not say where the API server is");
        return new KubernetesSettings(map, values["kubernetes.account"], new UriBuilder(Uri.UriSchemeHttps, host, number).Uri);
    }

    private static IPEndPoint? EndPoint(SettingValues values, string path)
    {
        if (TextOrNull(values, path) is not { } text) return null;
        return IPEndPoint.TryParse(text, out var address) && address.Port > 0 ? address : throw values.Wrong(path, "an address with a port, such as 192.0.2.1:4054 or [::]:4054, or empty");
    }

    private static uint Mark(SettingValues values, string path)
    {
        var text = values[path];
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var isNumber = uint.TryParse(isHex ? text.AsSpan(2) : text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
            CultureInfo.InvariantCulture, out var mark);
        return isNumber && mark != 0 ? mark : throw values.Wrong(path, "a number from 0x1 to 0xffffffff");
    }

    private static string[] List(SettingValues values, string path)
    {
        var list = values[path].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return list.Length > 0 ? list : throw values.Wrong(path, "a name, or several with commas between");
    }

    private static string[] OptionalList(SettingValues values, string path)
        => values[path].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static int Port(SettingValues values, string path, string word)
        => ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? port
            : throw values.Wrong(path, $"ports from 1 to 65535 with commas between, and '{word}' is none");

    private static ExemptPort Exempt(SettingValues values, string path, string word)
    {
        var parts = word.Split('/');
        return parts switch
        {
            [var port, "tcp"] => ExemptPort.Tcp(Port(values, path, port)),
            [var port, "udp"] => ExemptPort.Udp(Port(values, path, port)),
            _ => throw values.Wrong(path, $"ports such as 8443/tcp or 53/udp with commas between, and '{word}' is none"),
        };
    }

    private static IReadOnlyList<ConnectionHelper> ReadHelpers(SettingValues values, string path)
        => ConnectionHelpers.TryCreate(values[path], out var helpers, out var error)
            ? ConnectionHelpers.AndTheRestForRules(helpers)
            : throw values.Wrong(path, error);

    private static ConntrackSettings ReadTracking(SettingValues values, string prefix)
    {
        var settings = ConntrackSettings.Default;
        foreach (var (name, value, place) in values.Below(prefix))
            if (ConntrackSysctl.Apply($"{name}={value}", ref settings) is { } error)
                throw new SettingsException($"{place}: {prefix}{name}: {error}");
        var seconds = Number(values, "tracking.expect-timeout", 0, 86_400);
        return seconds == 0 ? settings : settings with { ExpectTimeout = TimeSpan.FromSeconds(seconds) };
    }
}
