using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>Settings of log and drops that are read again while the daemon runs.</summary>
[Collection(DaemonTests.Name)]
public sealed class SettingsReloadTests
{
    private const int LoggedPort = 7001;
    private const int DroppedPort = 7002;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [KernelFact]
    public void LogAndDropsChangeAllOrNothingAndWhatCannotChangeIsNamed()
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules("first"), "log: { level: warning }");
        Send(lab, LoggedPort);
        Send(lab, DroppedPort);

        // Something is wrong: nothing changes, neither rules nor the log's level.
        daemon.WriteRules(Rules("second"));
        foreach (var (mistake, name) in ((string, string)[])
            [("drops: { files: 0 }", "drops.files is '0'"), ($"drops: {{ directory: {daemon.Folder}/ipv4.rules/drops }}", "drops.directory is")])
        {
            daemon.WriteSettings($"log: {{ level: debug }}\n{mistake}");
            daemon.Reload();
            WaitFor(daemon, log => log.Contains(name, StringComparison.Ordinal));
        }
        Assert.Equal(2, Regex.Count(daemon.Log, "Nothing was changed"));
        Send(lab, LoggedPort);
        Assert.Contains("/* first */", daemon.Get("rules"));
        Assert.DoesNotContain("LINE ", daemon.Log);
        Assert.False(Directory.Exists(Path.Combine(daemon.Folder, "drops")));

        // All at once.
        daemon.WriteSettings($"log: {{ level: information }}\ndrops: {{ directory: {daemon.Folder}/drops }}");
        daemon.Reload();
        WaitFor(daemon, log => log.Contains("were read again", StringComparison.Ordinal));
        Assert.Contains("/* second */", daemon.Get("rules"));
        Send(lab, LoggedPort);
        WaitFor(daemon, log => Regex.Count(log, "LINE ") == 1);
        Send(lab, DroppedPort);
        WaitFor(daemon, _ => daemon.Get("statistics").Contains("drops written=1 lost=0 failed=0", StringComparison.Ordinal));
        Assert.DoesNotContain("Restart", daemon.Log);

        // Elsewhere, and nowhere; and what cannot be had is named.
        daemon.WriteSettings($"log: {{ level: information, packets-waiting: 7, format: json }}\ndrops: {{ directory: {daemon.Folder}/others }}\nqueue: {{ length: 77 }}");
        daemon.Reload();
        WaitFor(daemon, log => Regex.Count(log, "were read again") == 2);
        WaitFor(daemon, log => log.Contains("not changed while it runs: log.format, queue.length. Restart it", StringComparison.Ordinal));
        Send(lab, DroppedPort);
        WaitFor(daemon, _ => daemon.Get("statistics").Contains("drops written=1 lost=0 failed=0", StringComparison.Ordinal));
        Assert.Equal(["drops-000001.pcapng"], Directory.GetFiles(Path.Combine(daemon.Folder, "others")).Select(Path.GetFileName));
        daemon.WriteSettings("");
        daemon.Reload();
        WaitFor(daemon, log => Regex.Count(log, "were read again") == 3);
        Send(lab, DroppedPort);
        Assert.DoesNotContain("drops ", daemon.Get("statistics"));
        foreach (var folder in (string[])["drops", "others"])
        {
            var written = Command.Run("tshark", ["-r", Path.Combine(daemon.Folder, folder, "drops-000001.pcapng"), "-T", "fields", "-e", "udp.dstport"]);
            Assert.Equal($"{DroppedPort}\n", written);
        }
    }

    [KernelFact]
    public void NoLineIsLostUncountedWhileTheirRoomChanges()
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules("first"));
        using var datagrams = new DatagramStream(lab, GatewayLab.RightIPv4, LoggedPort);
        // As many changes, and as many packets between them, whatever takes longer here.
        for (var change = 1; change <= 20 || (change <= 1000 && PacketsLogged(daemon) <= 100); change++)
        {
            daemon.WriteSettings($"log: {{ packets-waiting: {(change % 2 == 0 ? 1 : 64)} }}");
            daemon.Reload();
            WaitFor(daemon, log => Regex.Count(log, "were read again") == change);
        }
        datagrams.Finish();

        var packets = PacketsLogged(daemon);
        Assert.True(packets > 100, $"only {packets} packets");
        WaitFor(daemon, log => Regex.Count(log, "LINE ") + daemon.Statistic("lost") == packets);
    }

    private static long PacketsLogged(Daemon daemon)
    {
        var rule = daemon.Get("rules").Split('\n').Single(line => line.Contains(" LOG ", StringComparison.Ordinal));
        return long.Parse(rule.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    private static void WaitFor(Daemon daemon, Predicate<string> condition)
        => Assert.True(SpinWait.SpinUntil(() => condition(daemon.Log), Patience), daemon.Log);

    /// <summary>One datagram, which has passed the gateway when this returns, or was dropped there.</summary>
    private static void Send(GatewayLab lab, int port)
    {
        using var socket = lab.Left.Run(() => new System.Net.Sockets.UdpClient());
        socket.Send(new byte[1], new System.Net.IPEndPoint(GatewayLab.RightIPv4, port));
        lab.Left.Execute("ping -c 1 -W 10 10.77.2.2");
    }

    private static string Rules(string comment) => $"""
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p udp -m udp --dport {LoggedPort} -j LOG --log-prefix "LINE " --log-level 6
        -A FORWARD -p udp -m udp --dport {DroppedPort} -j DROP
        -A FORWARD -m comment --comment {comment}
        COMMIT

        """;
}
