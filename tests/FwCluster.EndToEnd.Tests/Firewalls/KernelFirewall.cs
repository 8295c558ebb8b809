using System.Globalization;
using FwCluster.Packets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>The kernel's own iptables and nf_conntrack.</summary>
internal sealed class KernelFirewall : IFirewallUnderTest
{
    private const string HelperRule = "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n-A OUTPUT -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n";
    private readonly NetworkNamespace _where;

    public KernelFirewall(NetworkNamespace where, FirewallSetup setup)
    {
        _where = where;
        Load("iptables", setup.RulesIPv4);
        Load("ip6tables", setup.RulesIPv6);
        if (setup.FtpHelper)
        {
            where.Execute("iptables-restore", [], HelperRule);
            where.Execute("ip6tables-restore", [], HelperRule);
        }
        foreach (var (name, value) in setup.Sysctls)
            where.SetSysctl("net.netfilter." + name, value.ToString(CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public string ListRules(IpFamily family)
        => _where.Execute(family == IpFamily.IPv4 ? "iptables -L -v -n -x" : "ip6tables -L -v -n -x");

    /// <inheritdoc/>
    public string ListConnections() => _where.Execute("conntrack -L -f ipv4") + _where.Execute("conntrack -L -f ipv6");

    /// <inheritdoc/>
    public void ZeroCounters()
    {
        _where.Execute("iptables -Z");
        _where.Execute("ip6tables -Z");
    }

    /// <summary>Its rules go with the namespace.</summary>
    public void Dispose() { }

    private void Load(string program, string rules)
    {
        if (rules.Contains("COMMIT", StringComparison.Ordinal)) _where.Execute(program + "-restore", [], rules);
        else _where.Execute("sh", ["-e"], rules);
    }
}
