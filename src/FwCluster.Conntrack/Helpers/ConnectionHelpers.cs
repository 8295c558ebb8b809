using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Conntrack.Helpers.Tftp;

namespace FwCluster.Conntrack.Helpers;

/// <summary>The helpers there are, by name.</summary>
public static class ConnectionHelpers
{
    private const string None = "none";

    private static readonly Known[] All =
    [
        new(FtpHelper.HelperName, FtpHelper.DefaultPort, ports => new FtpHelper { Ports = ports }),
        new(TftpHelper.HelperName, TftpHelper.DefaultPort, ports => new TftpHelper { Ports = ports }),
    ];

    /// <summary>
    /// Makes the helpers of a list such as <c>ftp,tftp</c>, <c>ftp=21,2121,tftp</c> (a number behind a name's ports is one more
    /// of them) or <c>none</c>. A name without ports has its usual one.
    /// </summary>
    /// <param name="list">The list. Case counts; blanks around commas do not.</param>
    /// <param name="helpers">The helpers, in the list's order.</param>
    /// <param name="error">What is wrong with the list, where (columns count from 1), and what would be right.</param>
    /// <returns>False where something is wrong; then no helper is made.</returns>
    public static bool TryCreate(
        string list,
        [NotNullWhen(true)] out IReadOnlyList<ConnectionHelper>? helpers,
        [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(list);
        helpers = null;
        if (list.Trim() == None)
        {
            helpers = [];
            error = null;
            return true;
        }
        var chosen = new List<(Known Helper, List<ushort> Ports)>();
        var takesPorts = false;
        var start = 0;
        foreach (var piece in list.Split(','))
        {
            var column = start + 1 + piece.Length - piece.TrimStart().Length;
            start += piece.Length + 1;
            var item = piece.Trim();
            error = takesPorts && item.Length > 0 && char.IsAsciiDigit(item[0])
                ? AddPort(item, column, chosen[^1].Ports)
                : AddHelper(item, column, chosen, out takesPorts);
            if (error is not null) return false;
        }
        helpers = [.. chosen.Select(c => c.Helper.Create(c.Ports.Count > 0 ? c.Ports : [c.Helper.DefaultPort]))];
        error = null;
        return true;
    }

    /// <summary>Adds to the helpers the ones that are not among them, without a port: they attach only where a rule says so.</summary>
    public static IReadOnlyList<ConnectionHelper> AndTheRestForRules(IReadOnlyList<ConnectionHelper> helpers)
    {
        ArgumentNullException.ThrowIfNull(helpers);
        return [.. helpers, .. All.Where(known => helpers.All(h => h.Name != known.Name)).Select(known => known.Create([]))];
    }

    private static string? AddHelper(
        string item, int column, List<(Known Helper, List<ushort> Ports)> chosen, out bool takesPorts)
    {
        var equals = item.IndexOf('=', StringComparison.Ordinal);
        takesPorts = equals >= 0;
        var name = (takesPorts ? item[..equals] : item).TrimEnd();
        if (name == None) return $"column {column}: '{None}' stands alone, or not at all";
        if (Array.Find(All, known => known.Name == name) is not { } helper)
        {
            var what = name.Length == 0 ? "a helper's name is missing" : $"there is no helper '{name}'";
            return $"column {column}: {what}; known are {string.Join(", ", All.Select(known => known.Name))}, or '{None}' alone";
        }
        if (chosen.Exists(c => c.Helper == helper)) return $"column {column}: helper '{name}' is there already";
        chosen.Add((helper, []));
        if (!takesPorts) return null;
        var port = item[(equals + 1)..];
        return AddPort(port.Trim(), column + equals + 1 + port.Length - port.TrimStart().Length, chosen[^1].Ports);
    }

    private static string? AddPort(string text, int column, List<ushort> ports)
    {
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return $"column {column}: '{text}' is no port; a number from 1 to 65535 is";
        }
        if (ports.Contains(port)) return $"column {column}: port {port} is there already";
        ports.Add(port);
        return null;
    }

    private sealed record Known(string Name, ushort DefaultPort, Func<IReadOnlyList<ushort>, ConnectionHelper> Create);
}
