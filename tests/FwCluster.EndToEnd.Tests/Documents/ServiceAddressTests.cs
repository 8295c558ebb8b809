using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>
/// FTP through the address translation of a Service: what a gateway before it (A) and one behind it (B) take each data connection for. The table of
/// docs/ftp-farm-kubernetes.md is what comes of it; to write it anew: <c>FWCLUSTER_TEST_WRITE_REFERENCE=yes</c>.
/// </summary>
public sealed partial class ServiceAddressTests
{
    private const string Page = "docs/ftp-farm-kubernetes.md";

    private const string Rules = """
        *filter
        :FORWARD DROP [0:0]
        -A FORWARD -p tcp -m tcp --dport 21 -m state --state NEW -j ACCEPT
        -A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT
        COMMIT

        """;

    /// <summary>A transfer: what it tells the person who reads, the Service, the client's words for curl, and what else the node translates.</summary>
    private sealed record Transfer(string Server, string Client, int Service, string[] Curl, params string[] Translate);

    private static readonly string[] Passive = ["--disable-epsv", "--no-ftp-skip-pasv-ip"];
    private static readonly string[] Active = ["-P", "-", "--disable-eprt"];

    private static readonly Transfer[] Transfers =
    [
        new("as it is", "`PASV`", 7, Passive),
        new("`pasv_address=` the Service's", "`PASV`", 8, Passive),
        new("as it is", "`PASV`, and ignores the address", 7, ["--disable-epsv", "--ftp-skip-pasv-ip"]),
        new("as it is", "`EPSV`", 7, []),
        new("as it is", "`PORT`", 7, Active),
        new("as it is, behind masquerading to the Service's address", "`PORT`", 7, Active, "-s 10.244.0.5 -p tcp -j SNAT --to-source 198.51.100.7"),
        new("`pasv_address=`; clients' addresses become the node's", "`PASV`", 8, Passive, "-d 10.244.0.0/24 -p tcp -j SNAT --to-source 10.244.0.1"),
        new("as it is; clients' addresses become the node's", "`PORT`", 7, Active, "-d 10.244.0.0/24 -p tcp -j SNAT --to-source 10.244.0.1"),
        new("`pasv_address=`; clients' addresses become two", "`PASV`", 8, Passive,
            "-d 10.244.0.0/24 -p tcp --dport 21 -j SNAT --to-source 10.244.0.1", "-d 10.244.0.0/24 -p tcp ! --dport 21 -j SNAT --to-source 10.244.0.2"),
        new("the same with `pasv_promiscuous=YES`", "`PASV`", 9, Passive,
            "-d 10.244.0.0/24 -p tcp --dport 21 -j SNAT --to-source 10.244.0.1", "-d 10.244.0.0/24 -p tcp ! --dport 21 -j SNAT --to-source 10.244.0.2"),
    ];

    [KernelFact]
    public void ThePageSaysWhatGatewaysSee()
    {
        using var account = new FtpAccount();
        using var lab = new NetworkLab();
        var (client, edge, node, pods) = (lab.AddNamespace("c"), lab.AddNamespace("e"), lab.AddNamespace("n"), lab.AddNamespace("p"));
        Connect(client, "203.0.113.9", edge, "203.0.113.1", "clients");
        Connect(edge, "198.51.100.1", node, "198.51.100.2", "edge");
        Connect(node, "10.244.0.1", pods, "10.244.0.5", "node");
        foreach (var address in (string[])["10.244.0.6", "10.244.0.7"]) pods.Ip($"address add {address}/24 dev node");
        node.Ip("address add 10.244.0.2/24 dev to-node");
        client.Ip("route add default via 203.0.113.1");
        edge.Ip("route add default via 198.51.100.2");
        node.Ip("route add default via 198.51.100.1");
        pods.Ip("route add default via 10.244.0.1");
        foreach (var router in (NetworkNamespace[])[edge, node]) router.SetSysctl("net.ipv4.ip_forward", "1");
        for (var i = 0; i < 3; i++)
        {
            edge.Ip($"route add 198.51.100.{7 + i}/32 via 198.51.100.2");
            node.Execute($"iptables -t nat -A PREROUTING -d 198.51.100.{7 + i} -p tcp -m multiport --dports 21,30000:30009 -j DNAT --to-destination 10.244.0.{5 + i}");
        }
        StartServer(pods, account, "10.244.0.5");
        StartServer(pods, account, "10.244.0.6", "pasv_address=198.51.100.8");
        StartServer(pods, account, "10.244.0.7", "pasv_address=198.51.100.9", "pasv_promiscuous=YES");

        var (before, behind) = (Path.Combine(account.Folder, "before.pcap"), Path.Combine(account.Folder, "behind.pcap"));
        var captures = new[] { Capture(edge, "clients", before), Capture(node, "to-node", behind) };
        var said = new List<string>();
        foreach (var transfer in Transfers)
        {
            foreach (var rule in transfer.Translate) node.Execute($"iptables -t nat -A POSTROUTING {rule}");
            said.Add(Said(client.TryExecute("curl", ["-sSv", "--max-time", "10", .. transfer.Curl, "-T", Path.Combine(account.Folder, "passwd"),
                $"ftp://198.51.100.{transfer.Service}/", "--user", $"{FtpAccount.User}:{FtpAccount.Password}"]).Error));
            if (transfer.Translate.Length > 0) node.Execute("iptables -t nat -F POSTROUTING");
        }
        foreach (var capture in captures) Stop(capture);

        var (atA, atB) = (DataConnections(before), DataConnections(behind));
        var table = new StringBuilder("| the server | the client | says | data connection at A | data connection at B |\n|---|---|---|---|---|\n");
        for (var i = 0; i < Transfers.Length; i++)
            table.Append($"| {Transfers[i].Server} | {Transfers[i].Client} | {said[i]} | {atA[i]} | {atB[i]} |\n");
        Compare(table.ToString());
    }

    private static void Compare(string table)
    {
        var file = Path.Combine(Repository.Root, Page);
        var page = File.ReadAllText(file);
        var (from, to) = (page.IndexOf("<!-- farm -->\n", StringComparison.Ordinal) + "<!-- farm -->\n".Length, page.IndexOf("<!-- /farm -->\n", StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("FWCLUSTER_TEST_WRITE_REFERENCE") is "yes") File.WriteAllText(file, page[..from] + table + page[to..]);
        else Assert.Equal(table, page[from..to]);
    }

    private static void Connect(NetworkNamespace one, string address, NetworkNamespace other, string otherAddress, string from)
    {
        NetworkLab.AddVeth(one, "to-" + from, other, from);
        foreach (var (host, name, own) in ((NetworkNamespace, string, string)[])[(one, "to-" + from, address), (other, from, otherAddress)])
        {
            host.Ip($"address add {own}/24 dev {name}");
            host.Ip($"link set {name} up");
            host.SetSysctl($"net/ipv6/conf/{name}/disable_ipv6", "1");
        }
    }

    private static void StartServer(NetworkNamespace where, FtpAccount account, string address, params IEnumerable<string> more)
        => account.Start(where, "vsftpd", VsftpdSetup.Configure(account.Folder, address,
            [
                "anonymous_enable=NO", "local_enable=YES", "write_enable=YES", "pam_service_name=vsftpd", "pasv_min_port=30000", "pasv_max_port=30009", .. more,
            ]))
            .WaitUntil(() => VsftpdSetup.Listens(where, address), TimeSpan.FromSeconds(20));

    private static BackgroundProcess Capture(NetworkNamespace where, string name, string file)
    {
        var process = where.Start("tcpdump", ["-i", name, "--immediate-mode", "-U", "-Z", "root", "-w", file, "tcp"]);
        process.WaitUntil(() => process.Error.Contains("listening on", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        return process;
    }

    // The first packets of data connections are long written when the transfer is over.
    private static void Stop(BackgroundProcess capture)
    {
        capture.Signal(15);
        Assert.True(capture.WaitForExit(TimeSpan.FromSeconds(20)));
    }

    /// <summary>What was announced, or what the server refused, for people.</summary>
    private static string Said(string conversation)
    {
        var words = Announcement().Matches(conversation).Select(line => line.Groups["words"].Value.Trim()).ToList();
        if (words.Find(line => line.StartsWith('5') || line.StartsWith("425", StringComparison.Ordinal)) is { } refused) return $"`{refused}`";
        Assert.True(words.Count > 0, conversation);
        var announced = words[0];
        return announced.StartsWith("229", StringComparison.Ordinal) ? "`229`, a port alone"
            : announced.StartsWith("PORT", StringComparison.Ordinal) ? "its own address"
            : announced.Contains("(10,244,0,", StringComparison.Ordinal) ? "`227`, the pod's address"
            : announced.Contains("(198,51,100,", StringComparison.Ordinal) ? "`227`, the Service's address" : announced;
    }

    /// <summary>Of each control connection, the state of its data connection's first packet, as rules over a capture have it.</summary>
    private static List<string> DataConnections(string capture)
    {
        var rules = Path.ChangeExtension(capture, ".rules");
        File.WriteAllText(rules, Rules);
        var verdicts = FwctlProgram.Run("replay", capture, "--rules", rules, "--packets").Split('\n');
        var frames = CaptureFrames.Read(capture);
        var states = new List<string>();
        for (var i = 0; i < frames.Count; i++)
        {
            var segment = frames[i].AsSpan(14 + (frames[i][14] & 15) * 4);
            if ((segment[13] & 0x12) != 0x02) continue; // SYN, and no ACK
            var fields = verdicts[i].Split('\t');
            Assert.Equal((i + 1).ToString(CultureInfo.InvariantCulture), fields[0]);
            if (BinaryPrimitives.ReadUInt16BigEndian(segment[2..]) == 21) states.Add("none");
            else states[^1] = fields[2] == "ACCEPT" ? fields[1] : $"{fields[1]}: dropped";
        }
        Assert.Equal(Transfers.Length, states.Count);
        return states;
    }

    [GeneratedRegex("^[<>] (?<words>(227|229|425|5\\d\\d|PORT) .*)$", RegexOptions.Multiline)]
    private static partial Regex Announcement();
}
