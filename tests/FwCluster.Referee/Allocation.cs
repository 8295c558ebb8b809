namespace FwCluster.Referee;

/// <summary>Tells whether something allocates each time.</summary>
public static class Allocation
{
    private const int Rounds = 5;

    /// <summary>What a round allocates at the least, bytes, after one to warm up. The runtime allocates for itself now and then (compiling for speed);
    /// what allocates each time does so in every round.</summary>
    public static long Least(Action round)
    {
        ArgumentNullException.ThrowIfNull(round);
        round();
        var least = long.MaxValue;
        for (var i = 0; i < Rounds; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
