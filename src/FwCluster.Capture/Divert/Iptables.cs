using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FwCluster.Packets;

namespace FwCluster.Capture.Divert;

/// <summary>One iptables of the host: a family and a variant. Works in the network namespace of the thread that calls.</summary>
internal sealed partial class Iptables
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _prefix;

    private Iptables(IpFamily family, string prefix, bool isNft)
    {
        Family = family;
        _prefix = prefix;
        IsNft = isNft;
    }

    public IpFamily Family { get; }

    /// <summary>True where its rules are in nf_tables.</summary>
    public bool IsNft { get; }

    /// <summary>Those that are installed, at most one a variant; first the one that <c>iptables-restore</c> is.</summary>
    public static IReadOnlyList<Iptables> Installed(IpFamily family)
    {
        var name = family == IpFamily.IPv6 ? "ip6tables" : "iptables";
        var found = new List<Iptables>();
        foreach (var prefix in (string[])[name, name + "-nft", name + "-legacy"])
        {
            if (Locate(prefix + "-restore") is not { } path || Locate(prefix + "-save") is null) continue;
            var isNft = Run(path, ["--version"], null).Output.Contains("nf_tables", StringComparison.Ordinal);
            if (found.TrueForAll(other => other.IsNft != isNft)) found.Add(new Iptables(family, prefix, isNft));
        }
        return found;
    }

    /// <summary>True where this process may know which tables there are: of iptables-legacy's, the list is root's to read.</summary>
    public bool CanListTables
    {
        get
        {
            if (IsNft) return true;
            try
            {
                using var list = File.OpenRead($"/proc/thread-self/net/{(Family == IpFamily.IPv6 ? "ip6" : "ip")}_tables_names");
                return true;
            }
            catch (UnauthorizedAccessException)
            {
                return false;
            }
            catch (IOException)
            {
                return true; // the kernel has none
            }
        }
    }

    /// <summary>The rules of a table. (Naming a table brings it into being.)</summary>
    public string Save(string table) => Save(["-t", table]);

    /// <summary>The rules of all tables that are there; of <paramref name="concerned"/> where this process may not know which there
    /// are.</summary>
    public string Save(IEnumerable<string> concerned) => CanListTables ? Save(Array.Empty<string>()) : string.Concat(concerned.Select(Save));

    /// <summary>Changes rules.</summary>
    public void Restore(string script)
    {
        if (script.Length == 0) return;
        var program = _prefix + "-restore";
        // What holds iptables-legacy's lock ends soon; without waiting, this would fail.
        var result = Run(Find(program), ["--noflush", "--wait", "10"], script);
        if (result.Status != 0) throw new DivertException(Explain(program, result.Error, script));
    }

    /// <summary>Removes the built-in chains of a table, and the table, where nothing is in them (what only nf_tables can).</summary>
    public void RemoveEmptyTable(string table)
    {
        if (!IsNft) return;
        foreach (var chain in (string[])["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"])
            Run(Find(_prefix), ["-t", table, "-X", chain], null);
        EmptyTable.TryRemove(Family, table);
    }

    private string Save(string[] arguments)
    {
        var program = _prefix + "-save";
        var result = Run(Find(program), arguments, null);
        return result.Status == 0 ? result.Output : throw new DivertException(Explain(program, result.Error, ""));
    }

    /// <summary>Says what was wrong and what would help.</summary>
    internal static string Explain(string program, string error, string script)
    {
        var said = error.Trim().ReplaceLineEndings("; ");
        var number = FailedLine().Match(error) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
        var rule = script.Split('\n').ElementAtOrDefault(number - 1) is { } line && line.StartsWith("-A", StringComparison.Ordinal) ? line : "";
        var extension = MissingExtension().Match(error) is { Success: true } missing ? missing.Groups[1].Value : "";
        var help = extension switch
        {
            "NFQUEUE" => "the kernel lacks the target NFQUEUE: load its module (modprobe xt_NFQUEUE), or use a kernel with "
                + "CONFIG_NETFILTER_XT_TARGET_NFQUEUE",
            "socket" => "the kernel lacks the match socket: load its module (modprobe xt_socket), or let fragments come as they are (setting "
                + "Reassemble: false)",
            "CT" => "the kernel lacks the target CT: load its module (modprobe xt_CT), or leave tracking alone (setting NoTrack: false)",
            not "" => $"the kernel lacks {extension}: load its module (modprobe xt_{extension})",
            _ when error.Contains("lock file", StringComparison.Ordinal)
                => "iptables-legacy needs its lock: make /run/xtables.lock accessible to this user, or set XTABLES_LOCKFILE to a file that all "
                    + "users of iptables-legacy on this host share",
            _ when Denied().IsMatch(error)
                => "it needs the capabilities CAP_NET_ADMIN and CAP_NET_RAW, which a process that is not root passes on only as ambient "
                    + "capabilities (systemd: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW)",
            _ when error.Contains("initialize", StringComparison.Ordinal)
                => "the kernel lacks this table: load its module, or have the rules in another table (setting Table)",
            _ => "",
        };
        return $"{program}: {said}{(rule.Length == 0 ? "" : $" (the rule: {rule})")}{(help.Length == 0 ? "" : "; " + help)}";
    }

    private static string Find(string program)
        => Locate(program) ?? throw new DivertException($"{program} is not installed; install the package iptables");

    private static string? Locate(string program)
        => ((Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/sbin:/sbin:/usr/bin:/bin").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static (int Status, string Output, string Error) Run(string path, IEnumerable<string> arguments, string? input)
    {
        var info = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        // Messages in English: they are read here.
        info.Environment["LC_ALL"] = "C";
        if (XtablesLock.Instead is { } instead) info.Environment[XtablesLock.Variable] = instead;
        try
        {
            using var process = new Process { StartInfo = info };
            process.Start();
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            try
            {
                if (input is not null) process.StandardInput.Write(input);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended before it read all; its status says how.
            }
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                throw new DivertException($"{path} did not end within {Patience.TotalSeconds} s; is another program holding its lock?");
            }
            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new DivertException($"{path} cannot be started: {exception.Message}", exception);
        }
    }

    [GeneratedRegex("line:? ([0-9]+)")]
    private static partial Regex FailedLine();

    [GeneratedRegex("Extension ([A-Za-z0-9_]+) revision")]
    private static partial Regex MissingExtension();

    [GeneratedRegex("must be root|Permission denied|Operation not permitted")]
    private static partial Regex Denied();
}
