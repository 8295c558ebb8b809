using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FwCluster.Benchmarks;

/// <summary>Open vSwitch's userspace connection tracking, by its own benchmark (<c>ovstest test-conntrack benchmark</c>): tracking alone,
/// in C, of UDP packets in batches. Its test program is in no package; where one was built, <c>OVSTEST</c> names it.</summary>
public static partial class OpenVSwitchPeer
{
    /// <summary>The program, or null.</summary>
    public static string? Program => Environment.GetEnvironmentVariable("OVSTEST") is { Length: > 0 } path && File.Exists(path) ? path : null;

    /// <summary>Seconds a packet on one thread.</summary>
    public static double Run()
    {
        const int packets = 10_000_000;
        using var process = Process.Start(new ProcessStartInfo(Program!,
            ["test-conntrack", "benchmark", "1", packets.ToString(CultureInfo.InvariantCulture), "32"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        var milliseconds = Milliseconds().Match(output);
        return milliseconds.Success
            ? double.Parse(milliseconds.Groups[1].Value, CultureInfo.InvariantCulture) / 1e3 / packets
            : throw new InvalidOperationException($"ovstest said: {output}");
    }

    [GeneratedRegex(@"(\d+(?:\.\d+)?) ms")]
    private static partial Regex Milliseconds();
}
