using System.Globalization;

namespace FwCluster.Capture.Netlink;

/// <summary>What this process may do, for messages that say what it lacks.</summary>
internal static class Capabilities
{
    /// <summary>True where the calling thread has a capability (capabilities(7)) in effect.</summary>
    public static bool Has(int capability)
    {
        const string Field = "CapEff:";
        foreach (var line in File.ReadLines("/proc/thread-self/status"))
        {
            if (!line.StartsWith(Field, StringComparison.Ordinal)) continue;
            return ulong.TryParse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var set)
                && (set >> capability & 1) != 0;
        }
        return false;
    }
}
