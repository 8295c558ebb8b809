using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FwCluster.Control.Access;

/// <summary>A file that access rests on cannot be used. The message is for people.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">What lies behind it, or null.</param>
public sealed class AccessFileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Reads certificates and keys.</summary>
internal static class AccessFiles
{
    /// <summary>The certificates of authorities.</summary>
    /// <exception cref="AccessFileException">There is none in the file.</exception>
    public static X509Certificate2Collection ReadAuthorities(string file)
    {
        try
        {
            var found = new X509Certificate2Collection();
            found.ImportFromPemFile(file);
            return found.Count > 0 ? found : throw new AccessFileException($"{file}: there is no certificate in it; fwctl pki ca makes one");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AccessFileException($"{file}: the authority's certificate cannot be read: {e.Message}", e);
        }
    }

    /// <summary>A certificate with its key.</summary>
    /// <exception cref="AccessFileException">They cannot be read, or do not belong together.</exception>
    public static X509Certificate2 ReadCertificate(string file, string keyFile)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(file, keyFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new AccessFileException($"{file}, {keyFile}: the certificate and its key cannot be read: {e.Message}", e);
        }
    }
}
