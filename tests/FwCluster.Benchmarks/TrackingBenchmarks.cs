using BenchmarkDotNet.Attributes;

namespace FwCluster.Benchmarks;

/// <summary>Packets from memory through decode, tracking and the exercise's rules, on one thread. Times and allocations are a packet's.</summary>
[MemoryDiagnoser]
public class TrackingBenchmarks
{
    private const int EstablishedConnections = 10_000;
    private const int ShortConnections = 50_000;

    private readonly Traffic _established = Traffic.Established(EstablishedConnections, 20);
    private readonly Traffic _short = Traffic.Short(ShortConnections, 1_000);
    private Engine _engine = null!;

    /// <summary>Opens the connections that <see cref="Established"/> goes on with.</summary>
    [GlobalSetup(Target = nameof(Established))]
    public void Open()
    {
        _engine = new Engine(RuleTexts.Exercise(gateway: false));
        Require.All(_engine.Run(Traffic.Handshakes(EstablishedConnections)), EstablishedConnections * 3);
    }

    /// <summary>10,000 established TCP connections, both directions in turn.</summary>
    [Benchmark(OperationsPerInvoke = EstablishedConnections * 2)]
    public void Established() => Require.All(_engine.Run(_established), EstablishedConnections * 2);

    /// <summary>A fresh table for each run over short connections.</summary>
    [GlobalSetup(Target = nameof(Short))]
    public void Begin() => _engine = new Engine(RuleTexts.Exercise(gateway: false));

    /// <summary>50,000 whole connections, both directions, 8 packets each. Run again, each SYN finds its old connection closed and begins
    /// a new one.</summary>
    [Benchmark(OperationsPerInvoke = ShortConnections * 8)]
    public void Short() => Require.All(_engine.Run(_short), ShortConnections * 8);
}
