using BenchmarkDotNet.Attributes;

namespace FwCluster.Benchmarks;

/// <summary>What a packet of an established connection costs by the number of rules that it passes; the last one accepts it.</summary>
[MemoryDiagnoser]
public class RuleCountBenchmarks
{
    private const int Connections = 10_000;

    private readonly Traffic _established = Traffic.Established(Connections, 20);
    private Engine _few = null!;
    private Engine _many = null!;

    /// <summary>Opens the connections.</summary>
    [GlobalSetup]
    public void Open()
    {
        _few = new Engine(RuleTexts.Long(10));
        _many = new Engine(RuleTexts.Long(10_000));
        foreach (var engine in (Engine[])[_few, _many])
            Require.All(engine.Run(Traffic.Handshakes(Connections)), Connections * 3);
    }

    /// <summary>10 rules a chain.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Connections * 2)]
    public void TenRules() => Require.All(_few.Run(_established), Connections * 2);

    /// <summary>10,000 rules a chain.</summary>
    [Benchmark(OperationsPerInvoke = Connections * 2)]
    public void TenThousandRules() => Require.All(_many.Run(_established), Connections * 2);
}
