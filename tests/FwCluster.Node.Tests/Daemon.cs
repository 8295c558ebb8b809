using System.Globalization;
using System.Net.Sockets;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>The daemon, as a person starts it: a process with a configuration file, asked by its Unix socket.</summary>
internal sealed class Daemon : IDisposable
{
    private const int SigHup = 1;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NetworkNamespace _where;
    private readonly string[] _environment;
    private readonly string _folder = Directory.CreateTempSubdirectory("fwtd").FullName;
    private readonly HttpClient _state;
    private BackgroundProcess? _process;

    /// <summary>Starts it and waits until packets are decided.</summary>
    /// <param name="where">The namespace.</param>
    /// <param name="rulesIPv4">The IPv4 rules.</param>
    /// <param name="settings">Lines of the configuration besides mode, rules.ipv4 and state.socket.</param>
    /// <param name="environment">Variables of its environment, <c>NAME=VALUE</c>.</param>
    public Daemon(NetworkNamespace where, string rulesIPv4, string settings = "", params string[] environment)
    {
        (_where, _environment) = (where, environment);
        _state = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://localhost/"), Timeout = Patience };
        WriteRules(rulesIPv4);
        File.WriteAllText(Configuration, $"""
            mode: inline
            rules:
              ipv4: {Rules}
            state:
              socket: {Socket}
            {settings}
            """);
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

    private string Rules => Path.Combine(_folder, "ipv4.rules");

    private string Configuration => Path.Combine(_folder, "fwclusterd.yaml");

    private string Socket => Path.Combine(_folder, "state.sock");

    /// <summary>Starts it again after <see cref="Kill"/> or <see cref="Stop"/>.</summary>
    public void Start()
    {
        _process = _where.Start("env", [.. _environment, Program, "--config", Configuration]);
        _process.WaitUntil(IsReady, Patience);
    }

    /// <summary>Ends it without a chance to clean up.</summary>
    public void Kill() => End(SigKill);

    /// <summary>Asks it to stop cleanly; its exit code.</summary>
    public int Stop()
    {
        var process = _process!;
        End(SigTerm);
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

    /// <summary>Has it read rules and helpers again.</summary>
    public void Reload() => _process!.Signal(SigHup);

    /// <summary>What it logged so far.</summary>
    public string Log => _process!.Output + _process.Error;

    /// <summary>Memory it has in use, bytes.</summary>
    public long ResidentBytes => Status("VmRSS");

    /// <summary>The most memory it had in use, bytes.</summary>
    public long PeakResidentBytes => Status("VmHWM");

    /// <summary>Asks its state.</summary>
    public string Get(string what)
    {
        using var answer = _state.Send(new HttpRequestMessage(HttpMethod.Get, what));
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(answer.Content.ReadAsStream());
        return reader.ReadToEnd();
    }

    /// <summary>A number of its statistics, such as <c>early_drop</c>.</summary>
    public long Statistic(string name)
    {
        foreach (var word in Get("statistics").Split([' ', '\n']))
        {
            if (word.StartsWith(name + "=", StringComparison.Ordinal)) return long.Parse(word.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
        }
        throw new InvalidDataException($"no {name} in the statistics");
    }

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

    private bool IsReady()
    {
        if (!File.Exists(Socket)) return false;
        try
        {
            using var answer = _state.Send(new HttpRequestMessage(HttpMethod.Get, "readyz"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // The socket is there before anybody listens.
            return false;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), stop);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
