using FwCluster.Referee.Lab;

namespace FwCluster.Referee;

/// <summary>Whether this machine can be the referee.</summary>
public static class KernelSupport
{
    private static readonly Lazy<string?> Reason = new(Find);

    /// <summary>Null where it can; else what is missing, for the person who reads the skipped test.</summary>
    public static string? WhyNot => Reason.Value;

    private static string? Find()
    {
        if (!OperatingSystem.IsLinux()) return "the referee is the Linux kernel";
        if (Tmds.Linux.LibC.geteuid() != 0) return "needs root: network namespaces and packet sockets";
        foreach (var tool in (string[])["ip", "iptables-restore", "ip6tables-restore", "conntrack"])
        {
            if (!InPath(tool)) return $"needs the program {tool}";
        }

        try
        {
            using var lab = new NetworkLab();
            var probe = lab.AddNamespace("p");
            probe.Execute("iptables-restore", [],
                "*mangle\n-A FORWARD -m conntrack --ctstate NEW -j DSCP --set-dscp 2\nCOMMIT\n*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n");
            return null;
        }
        catch (CommandFailedException exception)
        {
            return "netfilter is missing or incomplete: " + exception.Message.ReplaceLineEndings(" ");
        }
    }

    private static bool InPath(string tool)
        => (Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin").Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, tool)));
}
