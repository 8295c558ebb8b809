using System.Globalization;
using System.Text.RegularExpressions;

namespace FwCluster.Referee.Lab;

/// <summary>
/// A test's network: namespaces with names of their own, and veth pairs between them. Disposing removes all of it; what a
/// killed process left is removed when the next process makes its first laboratory.
/// </summary>
public sealed partial class NetworkLab : IDisposable
{
    /// <summary>How names of namespaces begin; the process's id and a count follow.</summary>
    public const string Prefix = "fwt";

    private static readonly Lock Gate = new();
    private static readonly HashSet<NetworkLab> Live = [];
    private static int _count;

    private readonly List<NetworkNamespace> _namespaces = [];
    private readonly string _prefix;
    private bool _disposed;

    public NetworkLab()
    {
        lock (Gate)
        {
            if (_count++ == 0)
            {
                RemoveAbandoned();
                AppDomain.CurrentDomain.ProcessExit += (_, _) => DisposeAll();
            }
            _prefix = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}x{_count}");
            Live.Add(this);
        }
    }

    /// <summary>Makes a namespace; its full name ends with <paramref name="role"/>.</summary>
    public NetworkNamespace AddNamespace(string role)
    {
        var made = new NetworkNamespace(_prefix + role);
        _namespaces.Add(made);
        return made;
    }

    /// <summary>Joins two namespaces by a veth pair; the ends are down and have no address yet.</summary>
    /// <param name="left">Where one end lives.</param>
    /// <param name="leftName">Its interface name, at most 15 characters.</param>
    /// <param name="right">Where the other end lives.</param>
    /// <param name="rightName">Its interface name.</param>
    /// <param name="mtu">The MTU of both ends.</param>
    public static void AddVeth(NetworkNamespace left, string leftName, NetworkNamespace right, string rightName, int mtu = 1500)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        left.Ip(string.Create(CultureInfo.InvariantCulture,
            $"link add {leftName} mtu {mtu} type veth peer name {rightName} mtu {mtu} netns {right.Name}"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate) Live.Remove(this);
        if (_disposed) return;
        _disposed = true;
        foreach (var made in _namespaces) made.Dispose();
    }

    private static void DisposeAll()
    {
        NetworkLab[] left;
        lock (Gate) left = [.. Live];
        foreach (var lab in left) lab.Dispose();
    }

    // A killed test cannot clean up; its namespaces carry the id of a process that is no more.
    private static void RemoveAbandoned()
    {
        if (!Directory.Exists("/run/netns")) return;
        foreach (var path in Directory.EnumerateFiles("/run/netns"))
        {
            var name = Path.GetFileName(path);
            var match = OwnName().Match(name);
            if (!match.Success || Directory.Exists("/proc/" + match.Groups[1].Value)) continue;
            foreach (var word in Command.TryRun("ip", ["netns", "pids", name]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                _ = Tmds.Linux.LibC.kill(int.Parse(word, CultureInfo.InvariantCulture), 9);
            Command.TryRun("ip", ["netns", "del", name]);
        }
    }

    [GeneratedRegex("^" + Prefix + "([0-9]+)x[0-9]+")]
    private static partial Regex OwnName();
}
