using System.Globalization;

namespace FwCluster.Rules.Tests.TextTests;

/// <summary>How long the tests that draw by chance go on, and where they begin: a fresh seed each time, printed when something is found.
/// FWCLUSTER_TEST_SEED and FWCLUSTER_TEST_SECONDS replace both.</summary>
internal static class Bounds
{
    public static int Seed { get; } = Number("FWCLUSTER_TEST_SEED") ?? Random.Shared.Next(1 << 30);

    public static TimeSpan KernelTime { get; } = TimeSpan.FromSeconds(Number("FWCLUSTER_TEST_SECONDS") ?? 8);

    private static int? Number(string variable)
        => int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
