namespace FwCluster.Referee.Lab;

/// <summary>How vsftpd is set up in a test: in the foreground, in port mode from port 20, on port 21 of one address or of all.</summary>
public static class VsftpdSetup
{
    private const string Any = "::";

    /// <summary>Writes its settings into a folder, and makes it an empty one there to lock sessions into.</summary>
    /// <param name="folder">The folder, which everybody may enter.</param>
    /// <param name="address">Where it listens: an IPv4 or IPv6 address; null for all of both families.</param>
    /// <param name="more">Lines of settings besides: who may log in, and what for.</param>
    /// <returns>The file, its only argument.</returns>
    public static string Configure(string folder, string? address, params IEnumerable<string> more)
    {
        var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
        var file = Path.Combine(folder, $"vsftpd-{address ?? Any}.conf");
        var listen = (address ?? Any).Contains(':') ? $"listen=NO\nlisten_ipv6=YES\nlisten_address6={address ?? Any}" : $"listen=YES\nlisten_address={address}";
        File.WriteAllLines(file,
        [
            listen, "background=NO", "connect_from_port_20=YES", $"secure_chroot_dir={empty}", "seccomp_sandbox=NO", "xferlog_enable=NO", .. more,
        ]);
        return file;
    }

    /// <summary>True once a server listens on port 21 of an address; null for any.</summary>
    public static bool Listens(NetworkNamespace where, string? address)
    {
        ArgumentNullException.ThrowIfNull(where);
        string[] filter = address is null ? ["sport", "=", ":21"] : ["src", address.Contains(':') ? $"[{address}]:21" : $"{address}:21"];
        return where.Execute("ss", ["-Hltn", .. filter]).Contains("LISTEN", StringComparison.Ordinal);
    }
}
