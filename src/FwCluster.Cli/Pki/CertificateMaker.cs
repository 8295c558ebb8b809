using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FwCluster.Cli.Pki;

/// <summary>Makes an authority's certificate and those that it signs: ECDSA on P-256.</summary>
internal static class CertificateMaker
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Clocks of other machines may be behind by so much.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(5);

    /// <summary>An authority that signs for itself.</summary>
    /// <param name="name">Its name (CN).</param>
    /// <param name="now">The time.</param>
    /// <param name="valid">How long it is valid.</param>
    public static CertificateAndKey Authority(string name, DateTimeOffset now, TimeSpan valid)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(name, null), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now - Slack, now + valid);
        return new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>A node's certificate: for TLS as a server and, between nodes, as a client that asks on somebody's behalf.</summary>
    /// <param name="authority">The authority, with its key.</param>
    /// <param name="name">The node's name (CN).</param>
    /// <param name="hosts">The names and addresses by which clients reach it.</param>
    /// <param name="now">The time.</param>
    /// <param name="valid">How long it is valid.</param>
    public static CertificateAndKey Node(X509Certificate2 authority, string name, IEnumerable<string> hosts, DateTimeOffset now, TimeSpan valid)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }
        names.AddUri(new Uri("urn:fwcluster:role:node"));
        return Sign(authority, Subject(name, "node"), [ServerAuthentication, ClientAuthentication], names.Build(), now - Slack, now + valid);
    }

    /// <summary>A client's certificate, whose organizational unit says its role.</summary>
    /// <param name="authority">The authority, with its key.</param>
    /// <param name="name">The client's name (CN).</param>
    /// <param name="role">viewer, operator or admin.</param>
    /// <param name="now">The time.</param>
    /// <param name="valid">How long it is valid.</param>
    public static CertificateAndKey Client(X509Certificate2 authority, string name, string role, DateTimeOffset now, TimeSpan valid)
        => Sign(authority, Subject(name, role), [ClientAuthentication], null, now - Slack, now + valid);

    private static CertificateAndKey Sign(
        X509Certificate2 authority, X500DistinguishedName subject, string[] usages, X509Extension? names, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (names is not null) request.CertificateExtensions.Add(names);
        // Nothing is valid longer than who signed it, or from earlier on.
        var (first, last) = (new DateTimeOffset(authority.NotBefore), new DateTimeOffset(authority.NotAfter));
        using var certificate = request.Create(authority, from < first ? first : from, to > last ? last : to, Serial());
        return new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static X500DistinguishedName Subject(string name, string? unit)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName("FwCluster");
        if (unit is not null) subject.AddOrganizationalUnitName(unit);
        subject.AddCommonName(name);
        return subject.Build();
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)(serial[0] & 0x7f | 0x40); // positive, and of full length
        return serial;
    }
}

/// <summary>A certificate and its key, both as PEM.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="Key">The key, which nobody else may have.</param>
internal sealed record CertificateAndKey(string Certificate, string Key);
