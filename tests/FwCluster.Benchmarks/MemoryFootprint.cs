namespace FwCluster.Benchmarks;

/// <summary>What a connection takes, as the growth of the process.</summary>
public static class MemoryFootprint
{
    /// <summary>Opens a million IPv4 connections; bytes of resident memory they added, each.</summary>
    public static double BytesPerConnection()
    {
        const int connections = 1_000_000;
        const int step = 50_000;
        var engine = new Engine(RuleTexts.Exercise(gateway: false), maxEntries: 1 << 20);
        // What the run itself needs is there before the first reading: code compiled, packets of one step made.
        for (var i = 0; i < 3; i++) new Engine(RuleTexts.Exercise(gateway: false)).Run(Traffic.Opening(0, step));
        var before = ResidentBytes();
        for (var first = 0; first < connections; first += step) Require.All(engine.Run(Traffic.Opening(first, step)), step);
        var after = ResidentBytes();
        if (engine.Connections.Count != connections) throw new InvalidOperationException($"{engine.Connections.Count} connections");
        GC.KeepAlive(engine);
        return (after - before) / (double)connections;
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}
