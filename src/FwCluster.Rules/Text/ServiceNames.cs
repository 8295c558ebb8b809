using System.Collections.Frozen;
using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Rules.Text;

/// <summary>Names of services for ports: the host's <c>/etc/services</c>, as <c>getservbyname</c> reads it, and the best known ones where
/// the host has no such file.</summary>
public static class ServiceNames
{
    private static readonly (string Name, ushort Port, string Protocols)[] WellKnown =
    [
        ("ftp-data", 20, "tcp"), ("ftp", 21, "tcp"), ("ssh", 22, "tcp"), ("telnet", 23, "tcp"), ("smtp", 25, "tcp"),
        ("domain", 53, "tcp udp"), ("bootps", 67, "udp"), ("bootpc", 68, "udp"), ("tftp", 69, "udp"), ("http", 80, "tcp"),
        ("www", 80, "tcp"), ("kerberos", 88, "tcp udp"), ("pop3", 110, "tcp"), ("sunrpc", 111, "tcp udp"), ("auth", 113, "tcp"),
        ("ntp", 123, "udp"), ("netbios-ns", 137, "udp"), ("netbios-dgm", 138, "udp"), ("netbios-ssn", 139, "tcp"),
        ("imap", 143, "tcp"), ("imap2", 143, "tcp"), ("snmp", 161, "tcp udp"), ("snmp-trap", 162, "tcp udp"), ("bgp", 179, "tcp"),
        ("ldap", 389, "tcp udp"), ("https", 443, "tcp udp"), ("microsoft-ds", 445, "tcp udp"), ("submissions", 465, "tcp"),
        ("isakmp", 500, "udp"), ("syslog", 514, "udp"), ("submission", 587, "tcp"), ("ldaps", 636, "tcp udp"),
        ("domain-s", 853, "tcp udp"), ("ftps-data", 989, "tcp"), ("ftps", 990, "tcp"), ("imaps", 993, "tcp"), ("pop3s", 995, "tcp"),
        ("openvpn", 1194, "tcp udp"), ("ms-sql-s", 1433, "tcp"), ("nfs", 2049, "tcp udp"), ("mysql", 3306, "tcp"),
        ("ipsec-nat-t", 4500, "udp"), ("sip", 5060, "tcp udp"), ("sip-tls", 5061, "tcp udp"), ("postgresql", 5432, "tcp"),
        ("http-alt", 8080, "tcp udp"),
    ];

    private static readonly Lazy<FrozenDictionary<(string Name, string Protocol), ushort>> Table = new(Load);

    /// <summary>Finds a service's port.</summary>
    /// <param name="name">The service, or one of its other names.</param>
    /// <param name="protocol">TCP, UDP, ...; 0 for whichever has it.</param>
    /// <param name="port">Its port.</param>
    public static bool TryPort(string name, byte protocol, out ushort port)
    {
        if (protocol != 0) return Table.Value.TryGetValue((name, ProtocolName(protocol)), out port);
        foreach (var candidate in (ReadOnlySpan<string>)["tcp", "udp", "dccp", "sctp"])
        {
            if (Table.Value.TryGetValue((name, candidate), out port)) return true;
        }
        port = 0;
        return false;
    }

    private static string ProtocolName(byte protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.UdpLite => "udplite",
        IpProtocol.Sctp => "sctp",
        IpProtocol.Dccp => "dccp",
        _ => "",
    };

    private static FrozenDictionary<(string Name, string Protocol), ushort> Load()
    {
        var table = new Dictionary<(string, string), ushort>();
        if (File.Exists("/etc/services"))
        {
            foreach (var line in File.ReadLines("/etc/services")) AddLine(table, line);
        }
        foreach (var (name, port, protocols) in WellKnown)
        {
            foreach (var protocol in protocols.Split(' ')) table.TryAdd((name, protocol), port);
        }
        return table.ToFrozenDictionary();
    }

    // "ftp 21/tcp alias ... # comment"; the first line that has a name wins, as with getservbyname.
    private static void AddLine(Dictionary<(string, string), ushort> table, string line)
    {
        var words = line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || words[1].Split('/') is not [var number, var protocol]) return;
        if (!ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return;
        table.TryAdd((words[0], protocol), port);
        foreach (var alias in words.Skip(2)) table.TryAdd((alias, protocol), port);
    }
}
