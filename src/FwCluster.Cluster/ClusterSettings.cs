using System.Globalization;
using System.Net;
using FwCluster.Datapath.Shards;

namespace FwCluster.Cluster;

/// <summary>How a node takes part in a cluster.</summary>
public sealed record ClusterSettings
{
    /// <summary>Port where none is given.</summary>
    public const int DefaultPort = 4053;

    /// <summary>The cluster's name; all nodes have the same.</summary>
    public string Name { get; init; } = "fwcluster";

    /// <summary>The address, or name, that the others reach this node by.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port there; 0 takes a free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The port, at the same address, by which the others tell this node what packets wait for; 0 takes a free one.</summary>
    public int LinkPort { get; init; } = DefaultPort - 1;

    /// <summary>Nodes to join by, <c>host</c> or <c>host:port</c>; a name stands for all its addresses. Empty: this node begins a cluster of its
    /// own.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>How long names among the seeds must have stood for the same addresses before this node begins a cluster, where it is the first of them.
    /// Longer than the DNS lets anybody believe an old answer.</summary>
    public TimeSpan BeginAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What this node does, see <see cref="ClusterRoles"/>.</summary>
    public IReadOnlyList<string> Roles { get; init; } = ClusterRoles.All;

    /// <summary>This node's name, as control clients know it; empty where it has none.</summary>
    public string NodeName { get; init; } = "";

    /// <summary>Where this node's control plane can be asked by the others, such as <c>https://10.0.0.1:4054</c>; empty where it cannot.</summary>
    public string ControlEndpoint { get; init; } = "";

    /// <summary>Shards of the whole cluster, 1 to 4096; all nodes have the same.</summary>
    public int Shards { get; init; } = 64;

    /// <summary>The key by which connections are dealt to shards: 16 bytes in hexadecimal digits, a secret of the cluster; all nodes have the
    /// same.</summary>
    public required string Key { get; init; }

    /// <summary>This node's certificate, a PEM file; its private key is in <see cref="CertificateKey"/>. Empty: clear text.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>The certificate's private key, a PEM file.</summary>
    public string CertificateKey { get; init; } = "";

    /// <summary>Who signs the nodes' certificates, a PEM file: a node with a certificate of somebody else is not let in.</summary>
    public string CertificateAuthority { get; init; } = "";

    /// <summary>Nodes may talk in the clear where others can hear it.</summary>
    public bool AllowClearText { get; init; }

    /// <summary>This node has the rules that all nodes agree on, and keeps them on its disk; otherwise it has its own. All nodes have the same.</summary>
    public bool AgreesOnRules { get; init; }

    /// <summary>How long a packet that announces a connection waits for nodes to acknowledge.</summary>
    public TimeSpan ExpectationWait { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Questions of one worker that may wait for their answer, at least 1.</summary>
    public int MaxQuestions { get; init; } = 8192;

    /// <summary>How shards wait for others.</summary>
    public ShardSettings Sharing { get; init; } = new();

    /// <summary>Asks the DNS.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>What nodes say is encrypted, and each shows a certificate.</summary>
    public bool IsEncrypted => Certificate.Length > 0;

    /// <summary>The key as bytes.</summary>
    internal byte[] KeyBytes => Convert.FromHexString(Key);

    /// <summary>Finds what is wrong.</summary>
    /// <exception cref="ClusterSettingsException">Something is.</exception>
    public ClusterSettings Checked()
    {
        if (Name.Length is 0 or > 40 || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') || Name[0] == '-')
            throw new ClusterSettingsException($"name: '{Name}' is no name; letters, digits and '-' make one, 40 at most, the first no '-'");
        if (Port is < 0 or > IPEndPoint.MaxPort) throw new ClusterSettingsException($"port: {Port} is not from 0 to 65535");
        if (LinkPort is < 0 or > IPEndPoint.MaxPort) throw new ClusterSettingsException($"link-port: {LinkPort} is not from 0 to 65535");
        if (LinkPort != 0 && LinkPort == Port) throw new ClusterSettingsException($"link-port: {LinkPort} is the port of listen, too; each needs one of its own");
        if (Shards is < 1 or > 4096) throw new ClusterSettingsException($"shards: {Shards} is not from 1 to 4096");
        if (MaxQuestions < 1) throw new ClusterSettingsException($"questions: {MaxQuestions} is less than 1");
        if (ExpectationWait <= TimeSpan.Zero) throw new ClusterSettingsException("expectation wait: there must be one");
        if (Key.Length != 32 || !Key.All(char.IsAsciiHexDigit))
            throw new ClusterSettingsException("key: it has 32 hexadecimal digits (16 bytes), as 'openssl rand -hex 16' prints them");
        if (Roles.FirstOrDefault(r => !ClusterRoles.All.Contains(r)) is { } role)
            throw new ClusterSettingsException($"roles: there is no role '{role}'; there are {string.Join(", ", ClusterRoles.All)}");
        if (Roles.Count == 0) throw new ClusterSettingsException($"roles: there is none; there are {string.Join(", ", ClusterRoles.All)}");
        foreach (var seed in Seeds) SeedAddresses.Parse(seed);
        CheckEncryption();
        return this;
    }

    private void CheckEncryption()
    {
        string[] files = [Certificate, CertificateKey, CertificateAuthority];
        if (IsEncrypted || files.Any(f => f.Length > 0))
        {
            if (files.Any(f => f.Length == 0))
                throw new ClusterSettingsException("tls: certificate, key and ca belong together; one of them is missing");
            return;
        }
        if (AllowClearText || IsLoopback(Host)) return;
        throw new ClusterSettingsException(string.Create(CultureInfo.InvariantCulture,
            $"tls: nodes would talk in the clear at {Host}: give certificate, key and ca, or say allow-clear-text"));
    }

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
