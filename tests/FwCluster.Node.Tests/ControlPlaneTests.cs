using System.Diagnostics;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The daemon ruled from another host by fwctl: the whole way, with certificates, over a network that its own rules decide over.</summary>
[Collection(DaemonTests.Name)]
public sealed class ControlPlaneTests
{
    private const string Endpoint = "10.77.1.1:7443";
    private const int Unreachable = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string Fwctl = Path.Combine(AppContext.BaseDirectory, "fwctl");

    [KernelFact]
    public void RulesThatCutTheirAuthorOffUndoThemselves()
    {
        using var lab = new GatewayLab();
        using var control = new ControlledDaemon(lab);
        Assert.Contains("generation 2 is in force", control.Apply("open", "-A INPUT -p tcp -m tcp --dport 7443 -j ACCEPT"));

        // Nothing comes in any more, not even on the connection at hand; what goes out still does.
        control.Apply("shut", "-A INPUT -j DROP", "--confirm-within", "8");
        var watch = Stopwatch.StartNew();
        Assert.Equal(Unreachable, control.Try("rules", "history").ExitCode);
        CommandResult history;
        while ((history = control.Try("rules", "history")).ExitCode != 0) Assert.True(watch.Elapsed < Patience, history.Error);
        Assert.Contains("     4  ", history.Output);
        Assert.Contains("(the rules of 2)  generation 3 was not confirmed in time", history.Output);
        Assert.Contains("--dport 7443 -j ACCEPT", control.Run("rules", "show"));
        Assert.Contains("was not confirmed in time", control.Daemon.Log);
    }

    [KernelFact]
    public void AfterAKillTheLastGenerationIsInForceBeforeTheFirstPacket()
    {
        using var lab = new GatewayLab();
        using var control = new ControlledDaemon(lab);
        Assert.Contains("fwclusterd", control.Run("rules", "history")); // the rule file was the first generation
        control.Apply("no pings", "-A FORWARD -p icmp -m comment --comment second -j DROP");
        Assert.Contains("/* second */", control.Run("list"));
        using var pings = lab.Left.Start("ping", ["-i", "0.01", "10.77.2.2"]);
        control.Daemon.Kill();
        control.Daemon.Start();
        Assert.True(SpinWait.SpinUntil(() => control.Daemon.PacketsMet("second") >= 20, Patience), control.Daemon.Log);
        pings.Signal(2);
        Assert.True(pings.WaitForExit(Patience));
        Assert.Contains(" 0 received", pings.Output); // nobody decided by the file, or by nothing
        Assert.Contains("/* second */", control.Run("list"));
        Assert.Contains("     2  ", control.Run("rules", "history"));
        Assert.Equal(0, control.Daemon.Stop());
    }

    [KernelTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void ConnectionsPortsAndHelpersAreSeenFromAfar(int queues)
    {
        using var lab = new GatewayLab();
        using var control = new ControlledDaemon(lab, queues);
        using var watch = control.Start("conntrack", "watch", "-p", "icmp", "--json");
        watch.WaitUntil(() => watch.Output.Contains("KIND_WATCHING", StringComparison.Ordinal), Patience);
        lab.Left.Execute("ping -c 1 -W 5 10.77.2.2");
        // A shard tells the one and a worker the other: which comes first is not said.
        watch.WaitUntil(() => watch.Output.Contains("KIND_NEW", StringComparison.Ordinal) && watch.Output.Contains("KIND_UPDATE", StringComparison.Ordinal), Patience);
        Assert.Single(watch.Output.Split('\n'), line => line.Contains("KIND_NEW", StringComparison.Ordinal));
        Assert.Matches(@"^icmp     1 \d+ src=10\.77\.1\.2 dst=10\.77\.2\.2 type=8 code=0 id=\d+ packets=1 bytes=84 src=10\.77\.2\.2 dst=10\.77\.1\.2 type=0 code=0 id=\d+ packets=1 bytes=84 mark=0 use=1\n$",
            control.Run("conntrack", "list", "-p", "icmp"));
        var ports = control.Run("ports").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(0, queues).Select(n => $"node=gate port=\"queue {21 + n}\" packets"), ports.Select(line => line.Split('=') is [var a, var b, var c, ..] ? $"{a}={b}={c}" : line));
        Assert.Contains("ftp      tcp  21             loaded", control.Run("helper", "list"));
        Assert.Matches("gate +healthy +1 ", control.Run("cluster", "status"));
        Assert.Equal("nf_conntrack_icmp_timeout=3\n", control.Run("settings", "set", "nf_conntrack_icmp_timeout=3"));
        Assert.Equal("1 connections were deleted\n", control.Try("conntrack", "delete", "-p", "icmp").Error);
        watch.WaitUntil(() => watch.Output.Contains("KIND_DESTROY", StringComparison.Ordinal), Patience);
        Assert.Equal("", control.Run("conntrack", "list", "-p", "icmp"));
        control.Apply("counted", "-A FORWARD -p icmp -m comment --comment pings -j ACCEPT");
        lab.Left.Execute("ping -c 2 -i 0.2 -W 5 10.77.2.2");
        Assert.Matches(" +4 +336 ACCEPT .*/\\* pings \\*/", control.Run("list"));
        // Others see nothing of it.
        Assert.Equal(4, lab.Left.TryExecute(Fwctl, ["rules", "show", "--endpoint", Endpoint, "--authority", control.PathOf("ca.crt")]).ExitCode);
    }

    /// <summary>A daemon with a control plane, and an admin on the left host.</summary>
    private sealed class ControlledDaemon : IDisposable
    {
        private readonly GatewayLab _lab;
        private readonly string _folder = Directory.CreateTempSubdirectory("fwt-control-").FullName;

        public ControlledDaemon(GatewayLab lab, int? queues = null)
        {
            _lab = lab;
            foreach (var line in (string[])["ca", "node gate --host 10.77.1.1", "client alice --role admin"])
                Command.Run(Fwctl, ["pki", .. line.Split(' '), "--directory", _folder]);
            Daemon = new Daemon(lab.Gateway, Rules(), $"""
                control:
                  directory: {_folder}/rulesets
                  name: gate
                  socket: {_folder}/control.sock
                  listen: {Endpoint}
                  certificate: {_folder}/gate.crt
                  key: {_folder}/gate.key
                  authority: {_folder}/ca.crt
                """, queues: queues);
            var watch = Stopwatch.StartNew();
            while (Try("rules", "history") is { ExitCode: not 0 } failed) Assert.True(watch.Elapsed < Patience, failed.Error + Daemon.Log);
        }

        public Daemon Daemon { get; }

        public string PathOf(string name) => Path.Combine(_folder, name);

        public CommandResult Try(params string[] words) => _lab.Left.TryExecute(Fwctl, With(words));

        public BackgroundProcess Start(params string[] words) => _lab.Left.Start(Fwctl, With(words));

        public string Run(params string[] words)
        {
            var result = Try(words);
            Assert.True(result.ExitCode == 0, $"{result.ExitCode}: {result.Error}{Daemon.Log}");
            return result.Output;
        }

        public string Apply(string comment, string rule, params string[] words)
        {
            File.WriteAllText(PathOf("new.rules"), Rules(rule));
            var result = Try(["rules", "apply", PathOf("new.rules"), "--comment", comment, .. words]);
            Assert.True(result.ExitCode == 0, $"{result.ExitCode}: {result.Error}{Daemon.Log}");
            return result.Error;
        }

        public void Dispose()
        {
            Daemon.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private IEnumerable<string> With(string[] words) =>
        [
            .. words, "--endpoint", Endpoint, "--authority", PathOf("ca.crt"), "--certificate", PathOf("alice.crt"), "--key", PathOf("alice.key"),
        ];

        private static string Rules(string rule = "")
            => $"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{(rule.Length > 0 ? rule + "\n" : "")}COMMIT\n";
    }
}
