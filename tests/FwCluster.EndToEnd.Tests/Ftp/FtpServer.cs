using System.Globalization;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>A real FTP server. Each has an address of its own, so that all can have port 21 side by side.</summary>
internal abstract class FtpServer
{
    /// <summary>All of them; a server's place is the index of its address.</summary>
    public static readonly IReadOnlyList<FtpServer> All = [new Vsftpd(), new PureFtpd(), new ProFtpd(), new PyFtpd()];

    /// <summary>What it is called.</summary>
    public abstract string Name { get; }

    /// <summary>Why it cannot be started here, or null.</summary>
    public virtual string? WhyNot => UnpackedServers.WhyNot;

    /// <summary>Starts it on port 21 of one of the server's addresses.</summary>
    public void Start(TestNetwork network, FtpAccount account, IpFamily family) => Start(network.Server, account, network.ServerAddress(family, Index));

    /// <summary>Starts it on port 21 of an IPv4 or IPv6 address.</summary>
    public void Start(NetworkNamespace where, FtpAccount account, string address)
        => Start(where, account, address.Contains(':') ? IpFamily.IPv6 : IpFamily.IPv4, address).WaitUntil(() => VsftpdSetup.Listens(where, address), TimeSpan.FromSeconds(20));

    /// <summary>Starts vsftpd on port 21 of an IPv4 or IPv6 address.</summary>
    public static void StartVsftpd(NetworkNamespace where, FtpAccount account, string address) => All[0].Start(where, account, address);

    /// <summary>Which of the server's addresses is its.</summary>
    public int Index => All.ToList().IndexOf(this);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Starts it in the foreground.</summary>
    protected abstract BackgroundProcess Start(NetworkNamespace where, FtpAccount account, IpFamily family, string address);

    private sealed class Vsftpd : FtpServer
    {
        public override string Name => "vsftpd";

        public override string? WhyNot => null;

        protected override BackgroundProcess Start(NetworkNamespace where, FtpAccount account, IpFamily family, string address)
        {
            var file = VsftpdSetup.Configure(account.Folder, address, "anonymous_enable=NO", "local_enable=YES", "write_enable=YES", "pam_service_name=vsftpd");
            return account.Start(where, "vsftpd", file);
        }
    }

    private sealed class PureFtpd : FtpServer
    {
        public override string Name => "pure-ftpd";

        protected override BackgroundProcess Start(NetworkNamespace where, FtpAccount account, IpFamily family, string address)
            => UnpackedServers.Start(account, where, "usr/sbin/pure-ftpd",
                "-S", $"{address},21", family == IpFamily.IPv4 ? "-4" : "-6", "-l", "unix", "-E", "-H", "-c", "64", "-C", "64",
                "-g", Path.Combine(account.Folder, $"pure-ftpd-{family}.pid"));
    }

    private sealed class ProFtpd : FtpServer
    {
        public override string Name => "proftpd";

        protected override BackgroundProcess Start(NetworkNamespace where, FtpAccount account, IpFamily family, string address)
        {
            var file = Path.Combine(account.Folder, $"proftpd-{family}.conf");
            File.WriteAllText(file, $"""
                ServerType standalone
                DefaultAddress {address}
                SocketBindTight on
                Port 21
                UseIPv6 on
                UseReverseDNS off
                User nobody
                Group nogroup
                AuthOrder mod_auth_unix.c
                AuthPAM off
                RequireValidShell off
                AllowOverwrite on
                TimesGMT on
                WtmpLog off
                TransferLog none
                SystemLog none
                MaxInstances 64
                PidFile {account.Folder}/proftpd-{family}.pid
                ScoreboardFile {account.Folder}/proftpd-{family}.scoreboard
                DelayTable none

                """);
            return UnpackedServers.Start(account, where, "usr/sbin/proftpd", "-n", "-q", "-c", file);
        }
    }

    private sealed class PyFtpd : FtpServer
    {
        public override string Name => "pyftpdlib";

        protected override BackgroundProcess Start(NetworkNamespace where, FtpAccount account, IpFamily family, string address)
            => UnpackedServers.Start(account, where, "/usr/bin/python3",
                Path.Combine(Repository.Root, "tests/FwCluster.EndToEnd.Tests/Ftp/pyftpd.py"), address, FtpAccount.User, FtpAccount.Password, account.Home,
                FtpAccount.UserId.ToString(CultureInfo.InvariantCulture));
    }
}
