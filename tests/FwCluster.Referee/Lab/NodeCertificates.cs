using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FwCluster.Referee.Lab;

/// <summary>An authority of a test, and certificates that it signs, in files that go away.</summary>
public sealed class NodeCertificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fwtca").FullName;
    private readonly X509Certificate2 _authority;
    private byte _signed;

    public NodeCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        // A daemon that is not root reads them.
        Command.Run("chmod", ["755", _folder]);
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
    }

    /// <summary>The authority's certificate.</summary>
    public string Authority => Path.Combine(_folder, "ca.pem");

    /// <summary>Signs a certificate for one node; its file and that of its key.</summary>
    public (string Certificate, string Key) Make()
    {
        var file = Path.Combine(_folder, $"node{++_signed}");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(_authority, _authority.NotBefore, _authority.NotAfter, [_signed]);
        File.WriteAllText(file + ".pem", certificate.ExportCertificatePem());
        File.WriteAllText(file + ".key", key.ExportPkcs8PrivateKeyPem());
        return (file + ".pem", file + ".key");
    }

    /// <summary>Signs a certificate for one node; the daemon's settings that name it.</summary>
    public IReadOnlyList<string> Sign()
    {
        var (certificate, key) = Make();
        return [$"cluster.tls.certificate={certificate}", $"cluster.tls.key={key}", $"cluster.tls.ca={Authority}"];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
