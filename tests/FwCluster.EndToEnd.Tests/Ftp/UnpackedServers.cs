using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>What <c>unpack-servers.sh</c> unpacked: servers that cannot be installed beside vsftpd.</summary>
internal static class UnpackedServers
{
    private static readonly string Folder = Path.Combine(Repository.Root, "artifacts", "ftp-servers");

    /// <summary>Why they cannot be started, or null.</summary>
    public static string? WhyNot => File.Exists(Path.Combine(Folder, "complete"))
        ? null
        : "needs what tests/FwCluster.EndToEnd.Tests/unpack-servers.sh unpacks; test.sh runs it";

    /// <summary>Starts a program of theirs, or one that uses their libraries and Python packages.</summary>
    public static BackgroundProcess Start(FtpAccount account, NetworkNamespace where, string program, params IEnumerable<string> arguments)
        => account.Start(where, "env",
        [
            "LD_LIBRARY_PATH=" + string.Join(':', Directory.GetDirectories(Path.Combine(Folder, "usr", "lib"), "*-linux-gnu*")),
            "PYTHONPATH=" + Path.Combine(Folder, "usr/lib/python3/dist-packages"),
            Path.Combine(Folder, program),
            .. arguments,
        ]);
}
