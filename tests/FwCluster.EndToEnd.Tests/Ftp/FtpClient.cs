using System.Text;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>A real FTP client that does all transfers of a session in one login.</summary>
internal abstract class FtpClient
{
    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<FtpClient> All = [new Curl(), new Lftp(), new Tnftp()];

    /// <summary>What it is called.</summary>
    public abstract string Name { get; }

    /// <summary>Runs a session and returns all that it said, which includes the commands that it sent.</summary>
    /// <param name="where">The namespace to run in.</param>
    /// <param name="address">The server's address.</param>
    /// <param name="mode">How data connections are announced.</param>
    /// <param name="transfers">What to transfer, in order.</param>
    /// <param name="seconds">When it is killed. It gives up by itself a second before, where it can be told.</param>
    public CommandResult Run(NetworkNamespace where, string address, FtpMode mode, IReadOnlyList<FtpTransfer> transfers, int seconds)
    {
        var host = address.Contains(':') ? $"[{address}]" : address;
        var (arguments, input) = CommandLine(host, mode, transfers, seconds - 1);
        return where.TryExecute("timeout", ["-k", "1", $"{seconds}", .. arguments], input, TimeSpan.FromSeconds(seconds + 10));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The program with its arguments, and what it reads from standard input.</summary>
    protected abstract (IEnumerable<string> Arguments, string Input) CommandLine(
        string host, FtpMode mode, IReadOnlyList<FtpTransfer> transfers, int seconds);

    private sealed class Curl : FtpClient
    {
        public override string Name => "curl";

        protected override (IEnumerable<string> Arguments, string Input) CommandLine(
            string host, FtpMode mode, IReadOnlyList<FtpTransfer> transfers, int seconds)
        {
            string[] how = mode switch
            {
                FtpMode.Passive => ["--ftp-pasv", "--disable-epsv"],
                FtpMode.Active => ["--ftp-port", "-", "--disable-eprt"],
                FtpMode.ExtendedPassive => ["--ftp-pasv"],
                _ => ["--ftp-port", "-"],
            };
            var arguments = new List<string> { "curl" };
            foreach (var transfer in transfers)
            {
                if (arguments.Count > 1) arguments.Add("--next");
                arguments.AddRange(["-g", "-v", "-sS", "--fail-early", "--max-time", $"{seconds}", "-u", $"{FtpAccount.User}:{FtpAccount.Password}", .. how]);
                arguments.AddRange([transfer.IsUpload ? "-T" : "-o", transfer.Local, $"ftp://{host}/{transfer.Remote}"]);
            }
            return (arguments, "");
        }
    }

    private sealed class Lftp : FtpClient
    {
        public override string Name => "lftp";

        protected override (IEnumerable<string> Arguments, string Input) CommandLine(
            string host, FtpMode mode, IReadOnlyList<FtpTransfer> transfers, int seconds)
        {
            var script = new StringBuilder("debug 5\n");
            script.Append(mode is FtpMode.Active or FtpMode.ExtendedActive ? "set ftp:passive-mode no\n" : "set ftp:passive-mode yes\n");
            script.Append(mode == FtpMode.ExtendedPassive ? "set ftp:prefer-epsv yes\n" : "set ftp:prefer-epsv no\n");
            script.Append("set ftp:ssl-allow no\nset ftp:auto-passive-mode no\nset net:max-retries 1\nset net:persist-retries 0\n");
            script.Append($"set net:timeout {seconds}\nset xfer:clobber yes\nset cmd:fail-exit yes\n");
            script.Append($"open -u {FtpAccount.User},{FtpAccount.Password} ftp://{host}\n");
            foreach (var transfer in transfers)
            {
                script.Append(transfer.IsUpload
                    ? $"put {transfer.Local} -o {transfer.Remote}\n"
                    : $"get {transfer.Remote} -o {transfer.Local}\n");
            }
            return (["env", "HOME=/nonexistent", "lftp", "--norc", "-f", "/dev/stdin"], script.Append("bye\n").ToString());
        }
    }

    private sealed class Tnftp : FtpClient
    {
        public override string Name => "ftp";

        protected override (IEnumerable<string> Arguments, string Input) CommandLine(
            string host, FtpMode mode, IReadOnlyList<FtpTransfer> transfers, int seconds)
        {
            var script = new StringBuilder();
            script.Append(mode is FtpMode.Passive or FtpMode.Active ? "epsv4 off\n" : "epsv4 on\n");
            script.Append($"open {host.Trim('[', ']')}\nuser {FtpAccount.User} {FtpAccount.Password}\nbinary\n");
            foreach (var transfer in transfers)
            {
                script.Append(transfer.IsUpload
                    ? $"put {transfer.Local} {transfer.Remote}\n"
                    : $"get {transfer.Remote} {transfer.Local}\n");
            }
            return (["tnftp", "-n", "-v", "-d", mode is FtpMode.Passive or FtpMode.ExtendedPassive ? "-p" : "-A"],
                script.Append("bye\n").ToString());
        }
    }
}
