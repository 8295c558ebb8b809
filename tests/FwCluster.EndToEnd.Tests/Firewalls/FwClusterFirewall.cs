using System.Globalization;
using System.Text;
using FwCluster.Packets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Firewalls;

/// <summary>The daemon, as systemd starts it: a process that is not root, with the capabilities CAP_NET_ADMIN and CAP_NET_RAW alone and a
/// configuration file; asked by its Unix socket.</summary>
internal sealed class FwClusterFirewall : IFirewallUnderTest
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int Nobody = 65534;
    private static readonly string[] Unprivileged =
    [
        $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw", "--bounding-set=-all,+net_admin,+net_raw",
    ];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("fwtd").FullName;
    private readonly BackgroundProcess? _process;
    private readonly DaemonState _state;

    /// <summary>Starts it.</summary>
    /// <param name="where">The host.</param>
    /// <param name="setup">What it is told.</param>
    /// <param name="orUntil">What is waited for instead of that it decides packets, if it comes first; null for nothing.</param>
    /// <exception cref="CommandFailedException">It did not get there; with all that it said.</exception>
    public FwClusterFirewall(NetworkNamespace where, FirewallSetup setup, Func<bool>? orUntil = null)
    {
        _state = new DaemonState(Socket, Patience);
        try
        {
            var configuration = WriteConfiguration(setup);
            Command.Run("chown", ["-R", $"{Nobody}:{Nobody}", _folder]);
            _process = where.Start("setpriv",
                [.. Unprivileged, Program, "--config", configuration, .. setup.DaemonSettings.SelectMany(setting => (string[])["--set", setting])]);
            _process.WaitUntil(() => IsReady || orUntil?.Invoke() == true, Patience);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The daemon's program.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "fwclusterd");

    private string Socket => Path.Combine(_folder, "state.sock");

    /// <summary>It decides packets.</summary>
    public bool IsReady => _state.IsReady();

    /// <summary>It has ended by itself.</summary>
    public bool HasEnded => _process!.HasExited;

    /// <inheritdoc/>
    public string ListRules(IpFamily family) => _state.Get(family == IpFamily.IPv4 ? "rules?family=ipv4" : "rules?family=ipv6");

    /// <inheritdoc/>
    public string ListConnections() => _state.Get("connections");

    /// <summary>What it and its part of the cluster count.</summary>
    public string ReadStatistics() => _state.Get("statistics");

    /// <summary>Processor time that it has taken so far.</summary>
    public TimeSpan ProcessorTime => _process!.ProcessorTime;

    /// <summary>What it has said so far.</summary>
    public string Log => _process!.Error + _process.Output;

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="CommandFailedException">It did not.</exception>
    public int WaitForEnd() => _process!.WaitForExit(Patience) ? _process.ExitCode : throw new CommandFailedException($"it still runs: {Log}");

    /// <summary>Ends it as an operator does, by SIGTERM; what it said is in the exception where it does not end well.</summary>
    /// <exception cref="CommandFailedException">It ended with an error, had ended already, or did not end in time.</exception>
    public void Stop()
    {
        if (_process!.HasExited) throw new CommandFailedException($"it had ended with {_process.ExitCode}: {Log}");
        _process.Signal(SigTerm);
        if (!_process.WaitForExit(Patience)) throw new CommandFailedException($"{Patience} after SIGTERM it still runs: {Log}");
        if (_process.ExitCode != 0) throw new CommandFailedException($"ended with {_process.ExitCode}: {Log}");
    }

    /// <summary>Sends it a signal, such as SIGSTOP (19).</summary>
    public void Signal(int signal) => _process!.Signal(signal);

    /// <summary>Ends it without a chance to clean up, or to say anything to anybody.</summary>
    public void Kill()
    {
        _process!.Signal(SigKill);
        if (!_process.WaitForExit(Patience)) throw new CommandFailedException($"{Patience} after SIGKILL it still runs");
    }

    /// <inheritdoc/>
    public void ZeroCounters() => _state.Post("counters/zero");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Signal(SigTerm);
            _process.WaitForExit(Patience);
        }
        _process?.Dispose();
        _state.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string WriteConfiguration(FirewallSetup setup)
    {
        var ipv4 = Path.Combine(_folder, "ipv4.rules");
        var ipv6 = Path.Combine(_folder, "ipv6.rules");
        File.WriteAllText(ipv4, setup.RulesIPv4);
        File.WriteAllText(ipv6, setup.RulesIPv6);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            mode: inline
            rules:
              ipv4: {ipv4}
              ipv6: {ipv6}
            queue:
              number: 21
              count: {Environment.GetEnvironmentVariable("FWCLUSTER_TEST_QUEUES") ?? "1"}
              fail: closed
            state:
              socket: {Socket}
            tracking:
              helpers: {(setup.FtpHelper ? "ftp" : "none")}

            """);
        if (setup.Sysctls.Count > 0)
        {
            text.Append("  sysctl:\n");
            foreach (var (name, value) in setup.Sysctls) text.Append(CultureInfo.InvariantCulture, $"    {name}: {value}\n");
        }
        var file = Path.Combine(_folder, "fwclusterd.yaml");
        File.WriteAllText(file, text.ToString());
        return file;
    }
}
