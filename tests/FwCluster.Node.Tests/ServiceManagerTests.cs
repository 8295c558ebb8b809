using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>What systemd is told and what it tells: the unit file, the notifications, a stop that takes its time.</summary>
[Collection(DaemonTests.Name)]
public sealed class ServiceManagerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static string Unit => Path.Combine(Repository.Root, "packaging", "fwclusterd.service");

    [Fact]
    public void TheUnitGivesTwoCapabilitiesAndNothingElse()
    {
        var settings = File.ReadLines(Unit)
            .Where(line => line.Length > 0 && line[0] is not ('#' or '['))
            .Select(line => line.Split('=', 2))
            .ToLookup(parts => parts[0], parts => parts[1]);
        foreach (var (name, value) in ((string, string)[])
        [
            ("Type", "notify"), ("User", "fwcluster"), ("AmbientCapabilities", "CAP_NET_ADMIN CAP_NET_RAW"),
            ("CapabilityBoundingSet", "CAP_NET_ADMIN CAP_NET_RAW"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"),
            ("RestrictAddressFamilies", "AF_UNIX AF_NETLINK AF_PACKET AF_INET AF_INET6"), ("Restart", "on-failure"),
            ("ExecReload", "/bin/kill -HUP $MAINPID"), ("KillMode", "mixed"),
        ])
            Assert.Equal(value, Assert.Single(settings[name]));
        // Where the default of state.socket is.
        Assert.Equal("/run/" + Assert.Single(settings["RuntimeDirectory"]),
            Path.GetDirectoryName(Regex.Match(Command.Run(Daemon.Program, ["--show-config"]), "(?m)^  socket: (.*)$").Groups[1].Value));
    }

    [Fact]
    public void SystemdFindsNothingWrongInTheUnit()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "needs the program systemd-analyze");
        var folder = Directory.CreateTempSubdirectory("fwtu").FullName;
        try
        {
            var unit = Path.Combine(folder, "fwclusterd.service");
            var text = File.ReadAllText(Unit).Replace("/usr/bin/fwclusterd", Daemon.Program, StringComparison.Ordinal);
            File.WriteAllText(unit, text);
            Assert.Equal("", Verify(unit));
            // And it would: what is not understood is told.
            File.WriteAllText(unit, text.Replace("Restart=on-failure", "Restart=onfailure", StringComparison.Ordinal));
            Assert.Contains("onfailure", Verify(unit));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [KernelFact]
    public void ItIsReadyOncePacketsAreDecidedAndSaysThatItStops()
    {
        using var lab = new GatewayLab();
        var folder = Directory.CreateTempSubdirectory("fwtn").FullName;
        try
        {
            var path = Path.Combine(folder, "notify");
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            using var iptables = IptablesFolder.Slow(onceThereIs: folder, TimeSpan.FromSeconds(1));
            using var process = lab.Gateway.Start("env",
                [$"NOTIFY_SOCKET={path}", .. iptables.Wrapper.Skip(1), Daemon.Program, "--set", "mode=inline", "--set", $"state.socket={folder}/state"]);

            // It takes a while until both families are diverted, and not before is it ready.
            process.WaitUntil(() => lab.SavedRules().Contains("FWCLUSTER-FORWARD", StringComparison.Ordinal), Patience);
            Assert.False(socket.Poll(0, SelectMode.SelectRead));
            Assert.Equal("READY=1", Receive(socket));
            Assert.Equal(2, Regex.Count(lab.SavedRules(), "-A FWCLUSTER-FORWARD -j NFQUEUE"));
            Assert.Equal("ok\n", Command.Run("curl", ["-sS", "--unix-socket", $"{folder}/state", "http://localhost/readyz"]));

            process.Signal(15);
            Assert.Equal("STOPPING=1", Receive(socket));
            Assert.True(process.WaitForExit(Patience));
            Assert.Equal(0, process.ExitCode);
            Assert.DoesNotContain("FWCLUSTER", lab.SavedRules());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The command line's own handling of signals would end the process after 2 s, whether the divert rules are gone or not.</summary>
    [KernelTheory]
    [InlineData(15)]
    [InlineData(2)]
    public void AStopTakesTheTimeThatRemovingTheDivertRulesTakes(int signal)
    {
        using var lab = new GatewayLab();
        var before = lab.SavedRules();
        var slow = Path.Combine(Path.GetTempPath(), $"fwtslow{Environment.ProcessId}");
        using var iptables = IptablesFolder.Slow(slow, TimeSpan.FromSeconds(1));
        using var daemon = new Daemon(lab.Gateway, "*filter\nCOMMIT\n", "", [.. iptables.Wrapper]);
        try
        {
            File.WriteAllText(slow, "");
            var watch = Stopwatch.StartNew();
            Assert.Equal(0, daemon.Stop(signal));
            Assert.True(watch.Elapsed > TimeSpan.FromSeconds(3), $"removed within {watch.Elapsed}: too soon to show anything");
            Assert.Equal(before, lab.SavedRules());
        }
        finally
        {
            File.Delete(slow);
        }
    }

    private static string Verify(string unit) => Command.TryRun("systemd-analyze", ["verify", "--man=no", unit]).Error;

    private static string Receive(Socket socket)
    {
        var buffer = new byte[256];
        return Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
    }
}
