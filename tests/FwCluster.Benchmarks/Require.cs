namespace FwCluster.Benchmarks;

/// <summary>A benchmark of packets that are not accepted measures something else: it fails.</summary>
public static class Require
{
    /// <summary>Throws unless all of the packets were accepted.</summary>
    public static void All(int accepted, int packets)
    {
        if (accepted != packets) throw new InvalidOperationException($"{accepted} of {packets} packets were accepted");
    }
}
