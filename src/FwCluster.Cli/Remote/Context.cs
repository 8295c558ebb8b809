using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Cli.Remote;

/// <summary>Where to go and as whom: what the command line says, or a context of the configuration file.</summary>
internal sealed record Context
{
    /// <summary>The socket of the daemon on this machine.</summary>
    public const string LocalSocket = "unix:/run/fwclusterd/control.sock";

    private static readonly string[] Known = ["endpoints", "authority", "certificate", "key", "token-file"];

    /// <summary>Endpoints, tried in turn.</summary>
    public IReadOnlyList<Endpoint> Endpoints { get; init; } = [];

    /// <summary>The authority of the nodes' certificates, PEM; null for those that this machine trusts.</summary>
    public string? Authority { get; init; }

    /// <summary>The client's certificate, PEM, or null.</summary>
    public string? Certificate { get; init; }

    /// <summary>Its key, PEM.</summary>
    public string? Key { get; init; }

    /// <summary>A file with a bearer token, or null.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The configuration file: FWCTL_CONFIG, or ~/.config/fwcluster/fwctl.yaml.</summary>
    public static string ConfigurationFile => Environment.GetEnvironmentVariable("FWCTL_CONFIG")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "fwcluster", "fwctl.yaml");

    /// <summary>Reads a context from the configuration file. Without a file, and without a name, it is the daemon on this machine.</summary>
    /// <param name="name">The context; null for FWCTL_CONTEXT, else the file's own choice (<c>current</c>).</param>
    /// <exception cref="FwctlException">There is no such context, or something in the file is wrong.</exception>
    public static Context Read(string? name)
    {
        name ??= Environment.GetEnvironmentVariable("FWCTL_CONTEXT");
        var file = ConfigurationFile;
        if (!File.Exists(file))
        {
            return name is null
                ? new Context { Endpoints = [Endpoint.Parse(LocalSocket)] }
                : throw new FwctlException($"there is no context '{name}': there is no file {file}");
        }
        var yaml = new YamlStream();
        try
        {
            using var reader = File.OpenText(file);
            yaml.Load(reader);
        }
        catch (Exception e) when (e is YamlException or IOException or UnauthorizedAccessException)
        {
            throw new FwctlException($"{file}: {e.Message}", e);
        }
        var root = yaml.Documents.Count > 0 ? yaml.Documents[0].RootNode as YamlMappingNode : null;
        name ??= root?.Children.TryGetValue("current", out var current) == true ? current.ToString() : "default";
        if (root?.Children.TryGetValue("contexts", out var contexts) == true && contexts is YamlMappingNode all
            && all.Children.TryGetValue(name, out var found) && found is YamlMappingNode context)
            return From(context, file, name);
        throw new FwctlException($"{file}: there is no context '{name}' below 'contexts'");
    }

    private static Context From(YamlMappingNode context, string file, string name)
    {
        foreach (var (key, _) in context.Children)
            if (!Known.Contains(key.ToString()))
                throw new FwctlException($"{file}:{key.Start.Line}:{key.Start.Column}: a context has no '{key}'; it has {string.Join(", ", Known)}");
        // Files are named from the configuration's folder.
        string? FileOf(string key) => context.Children.TryGetValue(key, out var value) ? Path.Combine(Path.GetDirectoryName(file)!, value.ToString()) : null;
        var endpoints = context.Children.TryGetValue("endpoints", out var list)
            ? list is YamlSequenceNode several ? several.Children.Select(e => e.ToString()) : [list.ToString()]
            : throw new FwctlException($"{file}: the context '{name}' has no endpoints");
        return new Context
        {
            Endpoints = [.. endpoints.Select(Endpoint.Parse)],
            Authority = FileOf("authority"),
            Certificate = FileOf("certificate"),
            Key = FileOf("key"),
            TokenFile = FileOf("token-file"),
        };
    }
}
