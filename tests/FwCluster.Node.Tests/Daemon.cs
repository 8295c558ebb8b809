using System.Globalization;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The daemon, as a person starts it: a process with a configuration file, asked by its Unix socket.</summary>
internal sealed class Daemon : IDisposable
{
    private const int SigHup = 1;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NetworkNamespace _where;
    private readonly string _folder = Directory.CreateTempSubdirectory("fwtd").FullName;
    private readonly DaemonState _state;
    private readonly string[] _wrapper;
    private readonly string _mode;
    private BackgroundProcess? _process;

    /// <summary>Starts it and waits until packets are decided.</summary>
    /// <param name="where">The namespace.</param>
    /// <param name="rulesIPv4">The IPv4 rules.</param>
    /// <param name="settings">Lines of the configuration besides mode, rules.ipv4 and state.socket.</param>
    /// <param name="wrapper">The command that it is started by, such as <see cref="Unprivileged"/>.</param>
    /// <param name="mode">Its mode.</param>
    /// <param name="queues">Queues; null for as many as usual.</param>
    public Daemon(NetworkNamespace where, string rulesIPv4, string settings = "", IEnumerable<string>? wrapper = null, string mode = "inline",
        int? queues = null)
    {
        Queues = queues ?? UsualQueues;
        _where = where;
        _wrapper = [.. wrapper ?? []];
        _state = new DaemonState(Socket, Patience);
        _mode = mode;
        WriteRules(rulesIPv4);
        WriteSettings(settings);
        if (_wrapper.Length > 0) Command.Run("chown", ["-R", $"{Nobody}:{Nobody}", _folder]);
        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The program, beside the tests'.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "fwclusterd");

    /// <summary>The user who is nobody.</summary>
    public const int Nobody = 65534;

    /// <summary>Starts a program as nobody, with the capabilities CAP_NET_ADMIN and CAP_NET_RAW alone.</summary>
    public static IReadOnlyList<string> Unprivileged { get; } =
    [
        "setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups", "--no-new-privs",
        "--inh-caps=-all,+net_admin,+net_raw", "--ambient-caps=-all,+net_admin,+net_raw", "--bounding-set=-all,+net_admin,+net_raw",
    ];

    /// <summary>Queues that it runs: what the variable FWCLUSTER_TEST_QUEUES says, or one.</summary>
    public static int UsualQueues { get; } = int.TryParse(Environment.GetEnvironmentVariable("FWCLUSTER_TEST_QUEUES"), out var queues) ? queues : 1;

    /// <summary>Queues that this one runs.</summary>
    public int Queues { get; }

    /// <summary>A folder that is removed with the daemon.</summary>
    public string Folder => _folder;

    private string Rules => Path.Combine(_folder, "ipv4.rules");

    private string Configuration => Path.Combine(_folder, "fwclusterd.yaml");

    private string Socket => Path.Combine(_folder, "state.sock");

    /// <summary>Starts it again after <see cref="Kill"/> or <see cref="Stop"/>.</summary>
    public void Start()
    {
        // What a killed one leaves in the folder for temporary files goes with this one's.
        string[] command = ["env", $"TMPDIR={_folder}", .. _wrapper, Program, "--config", Configuration, "--set", $"queue.count={Queues}"];
        _process = _where.Start(command[0], command[1..]);
        _process.WaitUntil(_state.IsReady, Patience);
    }

    /// <summary>Ends it without a chance to clean up.</summary>
    public void Kill() => End(SigKill);

    /// <summary>Keeps it from running (SIGSTOP) until <see cref="Continue"/>: none of its threads runs on when this returns.</summary>
    public void Pause()
    {
        _process!.Signal(SigStop);
        if (!SpinWait.SpinUntil(() => Threads.All(IsStopped), Patience))
            throw new CommandFailedException($"runs {Patience} after SIGSTOP");
    }

    /// <summary>Lets it run on.</summary>
    public void Continue() => _process!.Signal(SigContinue);

    /// <summary>Asks it to stop cleanly; its exit code.</summary>
    public int Stop(int signal = SigTerm)
    {
        var process = _process!;
        End(signal);
        var code = process.ExitCode;
        process.Dispose();
        return code;
    }

    /// <summary>Puts other rules into its file, whole at once.</summary>
    public void WriteRules(string rules)
    {
        File.WriteAllText(Rules + ".new", rules);
        File.Move(Rules + ".new", Rules, overwrite: true);
    }

    /// <summary>Writes its configuration: lines besides mode, rules.ipv4 and state.socket.</summary>
    public void WriteSettings(string settings) => File.WriteAllText(Configuration, $"""
        mode: {_mode}
        rules:
          ipv4: {Rules}
        state:
          socket: {Socket}
        {settings}
        """);

    /// <summary>Has it read rules, helpers and settings again.</summary>
    public void Reload() => _process!.Signal(SigHup);

    /// <summary>What it logged so far.</summary>
    public string Log => _process!.Output + _process.Error;

    /// <summary>Whose it is and what it may: effective user, effective and ambient capabilities.</summary>
    public string Identity
    {
        get
        {
            var lines = File.ReadAllLines($"/proc/{_process!.Id}/status").Select(l => l.Split('\t')).ToDictionary(l => l[0], l => l[^1]);
            var users = File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t');
            return $"{users[2]} {lines["CapEff:"]} {lines["CapAmb:"]}";
        }
    }

    /// <summary>The folders of its threads in /proc.</summary>
    public IEnumerable<string> Threads => Directory.EnumerateDirectories($"/proc/{_process!.Id}/task");

    /// <summary>Memory it has in use, bytes.</summary>
    public long ResidentBytes => Status("VmRSS");

    /// <summary>The most memory it had in use, bytes.</summary>
    public long PeakResidentBytes => Status("VmHWM");

    /// <summary>Asks its state.</summary>
    public string Get(string what) => _state.Get(what);

    /// <summary>Packets that the rule with this comment has met.</summary>
    public long PacketsMet(string comment)
        => long.Parse(Get("rules").Split('\n').Single(line => line.Contains($"/* {comment} */", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);

    /// <summary>A number of its statistics, such as <c>early_drop</c>.</summary>
    public long Statistic(string name) => _state.Statistic(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process?.Dispose();
        _state.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void End(int signal)
    {
        _process!.Signal(signal);
        if (!_process.WaitForExit(Patience)) throw new CommandFailedException($"runs {Patience} after signal {signal}: {Log}");
    }

    private long Status(string field)
    {
        var line = File.ReadLines($"/proc/{_process!.Id}/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>The state is behind the name, which is in parentheses and may have any sign in it.</summary>
    private static bool IsStopped(string task) => File.ReadAllText($"{task}/stat").Split(") ")[^1][0] == 'T';
}
