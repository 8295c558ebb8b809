namespace FwCluster.Differential.Engines;

/// <summary>Compares times that two trackers read one after the other.</summary>
internal static class Clocks
{
    private const double Rounding = 1; // the kernel prints whole seconds, rounded down

    /// <summary>True where the time between the two reads, and rounding, explain what they differ by. Short timeouts are compared
    /// closely: there seconds matter. Long ones differ from each other by ten seconds at least.</summary>
    public static bool Agree(double one, double other)
        => Math.Abs(one - other) <= Rounding + (Math.Max(one, other) < 6 ? 0.4 : 4);
}
