using System.Security.Cryptography.X509Certificates;
using FwCluster.Cli.Pki;

namespace FwCluster.Control.Tests;

/// <summary>An authority and what it signs, in the folder of a lab: <c>ca.crt</c>, and of each certificate <c>NAME.crt</c> and <c>NAME.key</c>; for each
/// role a client of its name.</summary>
internal sealed class LabCertificates
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly string _folder;

    /// <summary>Makes authority and clients, where there are none in the folder.</summary>
    public LabCertificates(string folder)
    {
        _folder = folder;
        if (File.Exists(PathOf("ca.crt"))) return;
        Write("ca", NewAuthority());
        foreach (var role in (string[])["viewer", "operator", "admin"]) MakeClient(role, $"{role}-1", role);
    }

    /// <summary>An authority of the same name as the lab's.</summary>
    public static CertificateAndKey NewAuthority() => CertificateMaker.Authority("test authority", DateTimeOffset.UtcNow - 3 * Hour, 6 * Hour);

    /// <summary>Signs a node's certificate.</summary>
    public void MakeNode(string file, string name, params string[] hosts)
    {
        using var authority = X509Certificate2.CreateFromPemFile(PathOf("ca.crt"), PathOf("ca.key"));
        Write(file, CertificateMaker.Node(authority, name, hosts, DateTimeOffset.UtcNow, Hour));
    }

    /// <summary>Signs a client's certificate.</summary>
    /// <param name="file">The name of its files.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="role">Its role.</param>
    /// <param name="age">How long ago it was signed: it is good for an hour.</param>
    /// <param name="by">Who signs; null for the lab's authority.</param>
    public void MakeClient(string file, string name, string role, TimeSpan age = default, CertificateAndKey? by = null)
    {
        using var authority = by is null
            ? X509Certificate2.CreateFromPemFile(PathOf("ca.crt"), PathOf("ca.key"))
            : X509Certificate2.CreateFromPem(by.Certificate, by.Key);
        Write(file, CertificateMaker.Client(authority, name, role, DateTimeOffset.UtcNow - age, Hour));
    }

    /// <summary>Believes the lab's authority alone, and shows a client's certificate, or none.</summary>
    public SocketsHttpHandler Handler(string? client)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(PathOf("ca.crt")) },
        };
        if (client is not null)
        {
            var certificate = X509Certificate2.CreateFromPemFile(PathOf(client + ".crt"), PathOf(client + ".key"));
            // Whatever the server asks for: this is what the test wants it to see.
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }
        return handler;
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Write(string file, CertificateAndKey made)
    {
        File.WriteAllText(PathOf(file + ".crt"), made.Certificate);
        File.WriteAllText(PathOf(file + ".key"), made.Key);
    }
}
