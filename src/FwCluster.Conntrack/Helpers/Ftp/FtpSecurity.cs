using System.Text;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>The lines with which a control connection changes to TLS (RFC 4217 section 4, RFC 2228 section 3).</summary>
internal static class FtpSecurity
{
    /// <summary>True for a whole line "AUTH TLS", "AUTH SSL", "AUTH TLS-C" or "AUTH TLS-P".</summary>
    public static bool AsksForTls(ReadOnlySpan<byte> line)
    {
        if (line.Length < 5 || !Ascii.EqualsIgnoreCase(line[..5], "AUTH "u8)) return false;
        var mechanism = line[5..].TrimStart((byte)' ');
        var end = mechanism.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0) return false;
        mechanism = mechanism[..end].TrimEnd((byte)' ');
        return Ascii.EqualsIgnoreCase(mechanism, "TLS"u8) || Ascii.EqualsIgnoreCase(mechanism, "SSL"u8)
            || Ascii.EqualsIgnoreCase(mechanism, "TLS-C"u8) || Ascii.EqualsIgnoreCase(mechanism, "TLS-P"u8);
    }

    /// <summary>True for the reply that accepts it, 234, of one line or more.</summary>
    public static bool Accepts(ReadOnlySpan<byte> line)
        => line.Length >= 4 && line.StartsWith("234"u8) && line[3] is (byte)' ' or (byte)'-';
}
