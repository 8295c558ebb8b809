using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FwCluster.Control.Access;

/// <summary>Whose a client's certificate is: it must come from one of the authorities, be for clients, be valid now, and name one role, or say that it
/// is a node's.</summary>
internal sealed class ClientCertificates(RereadFiles<X509Certificate2Collection> authorities, TimeProvider time)
{
    /// <summary>A URI of this kind in the certificate's alternative names says the role, as the organizational unit (OU) does.</summary>
    public const string RoleUri = "urn:fwcluster:role:";

    /// <summary>What stands in a role's place in a node's certificate.</summary>
    public const string NodeName = "node";

    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";
    private const string AlternativeNames = "2.5.29.17";

    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>Whose the certificate is.</summary>
    /// <param name="certificate">The certificate that the client has shown to have the key of.</param>
    /// <param name="why">Why it is nobody's.</param>
    public (string Name, Role Role, bool IsNode)? Identify(X509Certificate2 certificate, out string why)
    {
        var now = time.GetUtcNow();
        var name = NameOf(certificate);
        if (now > certificate.NotAfter) return Refuse(out why, $"the client certificate of {name} expired on {certificate.NotAfter.ToUniversalTime():u}");
        if (now < certificate.NotBefore) return Refuse(out why, $"the client certificate of {name} is valid only from {certificate.NotBefore.ToUniversalTime():u} on");
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities.Current);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // short-lived certificates instead; there is no list to ask
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        if (!chain.Build(certificate))
        {
            var reasons = string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim()).Distinct());
            return Refuse(out why, $"the client certificate of {name} is not one that this cluster's authority made for clients: {reasons}");
        }
        if (name.Length == 0) return Refuse(out why, "the client certificate has no common name (CN)");
        var roles = RolesOf(certificate).Distinct().ToArray();
        if (roles.Length != 1)
        {
            return Refuse(out why, $"the client certificate of {name} names {(roles.Length == 0 ? "no role" : "several roles")}; "
                + $"its organizational unit (OU) must be viewer, operator or admin, or an alternative name such as {RoleUri}viewer");
        }
        why = "";
        return (name, RoleExtensions.Parse(roles[0]), roles[0] == NodeName);
    }

    private static (string, Role, bool)? Refuse(out string why, string reason)
    {
        why = reason;
        return null;
    }

    /// <summary>The common name (CN).</summary>
    internal static string NameOf(X509Certificate2 certificate) => Subject(certificate, CommonName).FirstOrDefault() ?? "";

    private static IEnumerable<string> RolesOf(X509Certificate2 certificate)
        => Subject(certificate, OrganizationalUnit).Concat(Uris(certificate).Where(u => u.StartsWith(RoleUri, StringComparison.Ordinal)).Select(u => u[RoleUri.Length..]))
            .Where(role => role == NodeName || RoleExtensions.Parse(role) != Role.None);

    private static IEnumerable<string> Subject(X509Certificate2 certificate, string type)
        => certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == type)
            .Select(part => part.GetSingleElementValue() ?? "");

    private static List<string> Uris(X509Certificate2 certificate)
    {
        var uris = new List<string>();
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != AlternativeNames) continue;
            try
            {
                var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
                while (names.HasData)
                {
                    if (names.PeekTag().HasSameClassAndValue(UriTag)) uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
                    else names.ReadEncodedValue();
                }
            }
            catch (AsnContentException)
            {
                return []; // no names that can be read: no role by them
            }
        }
        return uris;
    }
}
