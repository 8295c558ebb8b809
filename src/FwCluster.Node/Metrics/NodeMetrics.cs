using System.Diagnostics.Metrics;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;

namespace FwCluster.Node.Metrics;

/// <summary>
/// The node's instruments. They observe: each tells what was counted anyway, from the latest <see cref="NodeSample"/> or from counters that any
/// thread may read. Names are OpenTelemetry's; Prometheus has them with underscores, units and <c>_total</c> (docs/metrics.md).
/// </summary>
internal sealed partial class NodeMetrics : IDisposable
{
    /// <summary>The meters' names begin so.</summary>
    public const string MeterName = "FwCluster";

    /// <summary>The meter of rules: made anew where so many have come and gone that there is no room for more.</summary>
    public const string RuleMeterName = "FwCluster.Rules";

    private readonly Meter _meter = new(MeterName);
    private readonly NodeSettings _settings;
    private readonly NodeState _state;
    private readonly Histogram<double> _answerTime;
    private readonly Dictionary<int, long[]> _answersTold = [];
    private Meter? _ruleMeter;
    private IReadOnlyList<string> _ruleTags = [];
    private HashSet<string> _ruleSeries = [];
    private volatile NodeSample? _sample;

    public NodeMetrics(NodeSettings settings, NodeState state)
    {
        (_settings, _state) = (settings, state);
        _meter.CreateObservableGauge("fwcluster.ready", () => _state.NotReady is null ? 1 : 0, null, "1 while packets are decided as they should be, else 0.");
        AddPorts();
        AddConntrack();
        AddShards();
        AddCluster();
        AddOutputs();
        AddRuleset();
        _answerTime = _meter.CreateHistogram("fwcluster.question.duration", "s",
            "How long a held packet waited for the answer to its question.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [.. WaitTimes.Bounds.Select(bound => bound / 1e9)] });
    }

    /// <summary>Series of rules and policies that OpenTelemetry's library keeps room for. It forgets none, shown or not.</summary>
    public static int RoomForRules(TelemetrySettings settings) => 4 * settings.MostRules + 4096;

    /// <summary>Takes a look at the node for the instruments to tell, or null while it does not run. Not by two threads at a time.</summary>
    public void Take(NodeSample? sample)
    {
        _sample = sample;
        if (sample is null) return;
        TellAnswers(sample.Gateway);
        if (_ruleMeter is not null && ReferenceEquals(sample.RuleTags, _ruleTags)) return;
        _ruleTags = sample.RuleTags;
        _ruleSeries.UnionWith(sample.RuleTags);
        if (_ruleMeter is not null && _ruleSeries.Count < RoomForRules(_settings.Telemetry)) return;
        _ruleMeter?.Dispose();
        _ruleMeter = MakeRuleMeter();
        _ruleSeries = [.. sample.RuleTags];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ruleMeter?.Dispose();
        _meter.Dispose();
    }

    private Meter MakeRuleMeter()
    {
        var meter = new Meter(RuleMeterName);
        Add("fwcluster.rule.packets", "{packet}", "Packets that a rule has met, as iptables -L -v counts them.", false, rule => rule.Packets);
        Add("fwcluster.rule.bytes", "By", "Bytes of the packets that a rule has met.", false, rule => rule.Bytes);
        Add("fwcluster.policy.packets", "{packet}", "Packets that a chain's policy has decided.", true, rule => rule.Packets);
        Add("fwcluster.policy.bytes", "By", "Bytes of the packets that a chain's policy has decided.", true, rule => rule.Bytes);
        return meter;

        void Add(string name, string unit, string description, bool isPolicy, Func<RuleSample, ulong> read) => meter.CreateObservableCounter(
            name, () => (_sample?.Rules ?? []).Where(rule => rule.IsPolicy == isPolicy).Select(rule => new Measurement<long>((long)read(rule), rule.Tags)), unit, description);
    }

    /// <summary>What workers have counted by ranges since the last look becomes values of the histogram: of each range as many as there were, all of
    /// their mean, so that count, sum and ranges are the workers'.</summary>
    private void TellAnswers(Gateway gateway)
    {
        for (var lane = 0; lane < gateway.Lanes.Count; lane++)
        {
            var loop = gateway.Lanes[lane].Loop;
            if (!_answersTold.TryGetValue(lane, out var told)) _answersTold[lane] = told = new long[2 * (WaitTimes.Bounds.Length + 1)];
            var port = new KeyValuePair<string, object?>("port", loop.Counts.Name);
            for (var range = 0; range <= WaitTimes.Bounds.Length; range++)
            {
                var (count, sum) = loop.Worker.Statistics.Answers[range];
                var more = count - told[2 * range];
                if (more <= 0) continue;
                var least = range == 0 ? 0 : WaitTimes.Bounds[range - 1] + 1;
                var most = range == WaitTimes.Bounds.Length ? long.MaxValue : WaitTimes.Bounds[range];
                var mean = Math.Clamp((sum - told[2 * range + 1]) / more, least, most) / 1e9; // count and sum are not read at one moment
                for (var i = 0L; i < more; i++) _answerTime.Record(mean, port);
                (told[2 * range], told[2 * range + 1]) = (count, sum);
            }
        }
    }

    private void Counter(string name, string? unit, string description, Func<NodeSample, IEnumerable<Measurement<long>>> observe)
        => _meter.CreateObservableCounter(name, () => _sample is { } sample ? observe(sample) : [], unit, description);

    private void Level(string name, string? unit, string description, Func<NodeSample, IEnumerable<Measurement<long>>> observe)
        => _meter.CreateObservableUpDownCounter(name, () => _sample is { } sample ? observe(sample) : [], unit, description);

    private static Measurement<long> Of(ulong value, params ReadOnlySpan<KeyValuePair<string, object?>> tags) => new((long)value, tags);

    private static KeyValuePair<string, object?> Tag(string name, object value) => new(name, value);

    /// <summary>A name of an enumeration as a label: <c>TrackingDropped</c> is <c>tracking_dropped</c>.</summary>
    private static string Label<T>(T value)
        where T : struct, Enum => string.Concat(value.ToString().Select((letter, i) => char.IsUpper(letter) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
