using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FwCluster.Control.Access;
using Grpc.Core;
using Grpc.Net.Client;

namespace FwCluster.Control.Nodes;

/// <summary>
/// The ways to the other nodes: mutual TLS with this node's own certificate. A peer is who its certificate says: it must come from the same
/// authority, be for servers, and have the node's name as its common name; by which address it is reached is not asked.
/// </summary>
public sealed class PeerChannels : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<(string Name, Uri Control), Way> _ways = [];
    private readonly RereadFiles<X509Certificate2>? _certificate;
    private readonly RereadFiles<X509Certificate2Collection>? _authorities;
    private readonly string? _missing;

    /// <summary>Makes them ready; connections are made when there is something to ask.</summary>
    /// <param name="settings">The control plane's, with this node's certificate and the authority of all.</param>
    /// <exception cref="AccessFileException">A file cannot be used.</exception>
    public PeerChannels(ControlSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings is not { Certificate: { } certificate, Key: { } key, Authority: { } authority })
        {
            _missing = "this node has no control.certificate, control.key and control.authority to show and to judge by";
            return;
        }
        _certificate = new RereadFiles<X509Certificate2>(() => AccessFiles.ReadCertificate(certificate, key), certificate, key);
        _authorities = new RereadFiles<X509Certificate2Collection>(() => AccessFiles.ReadAuthorities(authority), authority);
    }

    /// <summary>The way to a peer.</summary>
    /// <exception cref="NodeUnavailableException">There is none.</exception>
    internal CallInvoker Open(Peer peer)
    {
        var problem = _missing ?? peer.Problem ?? (peer.Control is null ? "it has no control plane that other nodes reach (control.listen)" : null);
        return problem is null ? WayTo(peer).Invoker : throw new NodeUnavailableException(peer.Name, problem);
    }

    /// <summary>Why the peer's certificate was refused when it was shown last; null where it was not.</summary>
    internal string? Refusal(Peer peer) => peer.Control is not null && _ways.TryGetValue((peer.Name, peer.Control), out var way) ? way.Refusal : null;

    /// <summary>Closes the ways to nodes that are peers no longer.</summary>
    internal void Keep(IReadOnlyList<Peer> peers)
    {
        foreach (var (key, way) in _ways)
            if (!peers.Any(peer => peer.Name == key.Name && peer.Control == key.Control) && _ways.TryRemove(new(key, way)))
                way.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => Keep([]);

    private Way WayTo(Peer peer) => _ways.GetOrAdd((peer.Name, peer.Control!), key => new Way(key.Name, key.Control, _certificate!, _authorities!));

    /// <summary>A channel to one peer, and what was wrong with its certificate.</summary>
    private sealed class Way : IDisposable
    {
        private readonly string _name;
        private readonly RereadFiles<X509Certificate2Collection> _authorities;
        private readonly GrpcChannel _channel;
        private volatile string? _refusal;

        public Way(string name, Uri control, RereadFiles<X509Certificate2> certificate, RereadFiles<X509Certificate2Collection> authorities)
        {
            (_name, _authorities) = (name, authorities);
            var handler = new SocketsHttpHandler
            {
                ConnectTimeout = ConnectTime,
                EnableMultipleHttp2Connections = true,
                // A peer that hangs, or is gone without a word, ends the streams from there.
                KeepAlivePingDelay = TimeSpan.FromSeconds(3),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(3),
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
                PooledConnectionLifetime = TimeSpan.FromMinutes(10), // certificates are renewed
                SslOptions = new SslClientAuthenticationOptions
                {
                    LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate.Current,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => (_refusal = Judge(shown as X509Certificate2)) is null,
                },
            };
            // A client of its own: the channel's would wait ever longer before it connects again.
            _channel = GrpcChannel.ForAddress(control, new GrpcChannelOptions
            {
                HttpClient = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }, DisposeHttpClient = true, MaxReceiveMessageSize = null,
            });
            Invoker = _channel.CreateCallInvoker();
        }

        public CallInvoker Invoker { get; }

        public string? Refusal => _refusal;

        public void Dispose() => _channel.Dispose();

        private string? Judge(X509Certificate2? shown)
        {
            if (shown is null) return "it shows no certificate";
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(_authorities.Current);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // short-lived certificates instead; there is no list to ask
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
            if (!chain.Build(shown))
                return $"its certificate is not one that this cluster's authority made for nodes: {string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct())}";
            var name = ClientCertificates.NameOf(shown);
            return name == _name ? null : $"its certificate is that of {(name.Length > 0 ? name : "nobody")}; the common name (CN) must be the node's (control.name)";
        }
    }
}
