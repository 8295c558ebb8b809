using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace FwCluster.Cluster.Security;

/// <summary>Mutual TLS between nodes: each shows its certificate, and believes whoever shows one of the same authority. Which host a certificate names is
/// not asked: nodes come and go with addresses that nobody can sign ahead.</summary>
internal sealed class ClusterCertificates
{
    private readonly X509Certificate2 _own;
    private readonly SslStreamCertificateContext _shown;
    private readonly X509Certificate2Collection _authorities;
    private readonly ClusterStatistics _statistics;

    private ClusterCertificates(X509Certificate2 own, X509Certificate2Collection authorities, ClusterStatistics statistics)
    {
        (_own, _authorities, _statistics) = (own, authorities, statistics);
        _shown = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
    }

    /// <summary>Reads the files of the settings.</summary>
    /// <param name="settings">The settings, with all three files.</param>
    /// <param name="statistics">Counts those who are not believed.</param>
    /// <exception cref="ClusterSettingsException">One cannot be read, or they do not belong together.</exception>
    public static ClusterCertificates Load(ClusterSettings settings, ClusterStatistics statistics)
    {
        var certificate = LoadOwn(settings);
        var authorities = LoadAuthorities(settings.CertificateAuthority);
        if (!IsSignedBy(authorities, certificate, out var problem))
            throw new ClusterSettingsException($"tls: {settings.Certificate}: this node's own certificate would not be believed: {problem}");
        return new ClusterCertificates(certificate, authorities, statistics);
    }

    /// <summary>As Akka.NET's remoting takes them.</summary>
    public DotNettySslSetup ForAkka() => new(_own, suppressValidation: false, requireMutualAuthentication: true, validateCertificateHostname: false,
        customValidator: (shown, _, peer, _, log) => Believes(shown, peer, log));

    /// <summary>As the end of a link takes them that connects.</summary>
    /// <param name="peer">The other end, for the log.</param>
    /// <param name="log">Told who is not believed.</param>
    public SslClientAuthenticationOptions AsClient(string peer, ILoggingAdapter log) => new()
    {
        TargetHost = "", ClientCertificateContext = _shown, AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => Believes(shown as X509Certificate2, peer, log),
    };

    /// <summary>As the end of a link takes them that is connected to.</summary>
    /// <param name="peer">The other end, for the log.</param>
    /// <param name="log">Told who is not believed.</param>
    public SslServerAuthenticationOptions AsServer(string peer, ILoggingAdapter log) => new()
    {
        ServerCertificateContext = _shown, ClientCertificateRequired = true, AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => Believes(shown as X509Certificate2, peer, log),
    };

    private bool Believes(X509Certificate2? shown, string peer, ILoggingAdapter log)
    {
        var reason = "it shows no certificate";
        if (shown is not null && IsSignedBy(_authorities, shown, out reason)) return true;
        _statistics.CountDistrusted();
        log.Warning("tls: {0} is not believed: {1}", peer, reason);
        return false;
    }

    /// <summary>True where the certificate is valid now and one of the authorities has signed it, or signed who did.</summary>
    public static bool IsSignedBy(X509Certificate2Collection authorities, X509Certificate2 certificate, out string problem)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // the authority is the cluster's own; a lost key is a reason for another one
        chain.ChainPolicy.DisableCertificateDownloads = true;
        var isSigned = chain.Build(certificate);
        problem = string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation));
        return isSigned;
    }

    private static X509Certificate2 LoadOwn(ClusterSettings settings)
    {
        try
        {
            using var read = X509Certificate2.CreateFromPemFile(settings.Certificate, settings.CertificateKey);
            return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null); // the TLS of some platforms takes no other keys
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ClusterSettingsException($"tls: {settings.Certificate} and {settings.CertificateKey}: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection LoadAuthorities(string file)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            if (authorities.Count == 0) throw new ClusterSettingsException($"tls: {file}: there is no certificate in it");
            return authorities;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ClusterSettingsException($"tls: {file}: {e.Message}", e);
        }
    }
}
