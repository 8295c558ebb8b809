using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>
/// One user, who exists for the servers of a test alone: servers run in a mount namespace of their own, in which the account files
/// made here lie over the host's, and /run is empty. Disposing removes the user's files.
/// </summary>
internal sealed class FtpAccount : IDisposable
{
    public const string User = "student";
    public const string Password = "exercise";

    /// <summary>A user id that nobody has.</summary>
    public const int UserId = 64055;

    private const int GroupId = 65534;

    public FtpAccount()
    {
        Folder = Directory.CreateTempSubdirectory("fwtftp").FullName;
        Home = Path.Combine(Folder, "home");
        Command.Run("chmod", ["755", Folder]);
        Directory.CreateDirectory(Home);
        Own(Home);
        Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        File.Copy("/etc/passwd", Path.Combine(Folder, "passwd"));
        File.Copy("/etc/shadow", Path.Combine(Folder, "shadow"));
        File.AppendAllText(Path.Combine(Folder, "passwd"), $"{User}:x:{UserId}:{GroupId}::{Home}:/bin/sh\n");
        File.AppendAllText(Path.Combine(Folder, "shadow"), $"{User}:{Command.Run("openssl", ["passwd", "-6", Password]).Trim()}:19000:0:99999:7:::\n");
    }

    /// <summary>Where servers keep what they need; everybody may enter.</summary>
    public string Folder { get; }

    /// <summary>The user's home, where a login lands.</summary>
    public string Home { get; }

    /// <summary>Gives a file or folder to the user.</summary>
    public static void Own(string path) => Command.Run("chown", [$"{UserId}:{GroupId}", path]);

    /// <summary>Starts a server that knows the user.</summary>
    public BackgroundProcess Start(NetworkNamespace where, string program, params IEnumerable<string> arguments)
        => where.Start("unshare",
        [
            "--mount", "--propagation", "private", "sh", "-ec",
            """
            mount --bind "$1/passwd" /etc/passwd
            mount --bind "$1/shadow" /etc/shadow
            mount -t tmpfs -o mode=755 tmpfs /run
            shift
            exec "$@"
            """,
            "sh", Folder, program, .. arguments,
        ]);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
