using System.Diagnostics.CodeAnalysis;
using FwCluster.Capture.Divert;
using FwCluster.Control.Rulesets;

namespace FwCluster.Node.Live;

/// <summary>How the node is, for probes and people to ask.</summary>
internal sealed class NodeState
{
    private volatile Running? _running;
    private volatile IRulesetAgreement? _agreement;
    private volatile bool _isDraining;

    /// <summary>Why packets are not being decided as they should be; null where they are.</summary>
    public string? NotReady => _running is not { } running ? "starting or stopping" : running.Gateway.Ended.IsCompleted ? "the port has failed"
        : _isDraining ? "about to stop" : running.Divert?.Problem;

    /// <summary>The gateway, once it runs.</summary>
    public bool TryGet([NotNullWhen(true)] out Gateway? gateway) => (gateway = _running?.Gateway) is not null;

    /// <summary>The generation of rules in force; null where there is no control plane.</summary>
    public RulesetGeneration? Generation => _agreement?.Current.Generation;

    /// <summary>Whose generations are in force.</summary>
    public void RuledBy(IRulesetAgreement agreement) => _agreement = agreement;

    /// <summary>Packets are decided from now on.</summary>
    public void Ready(Gateway gateway, DivertRules? divert) => _running = new Running(gateway, divert);

    /// <summary>It is about to be stopped: it goes on deciding, and whoever asks whether it is ready sends the traffic elsewhere.</summary>
    public void Drain() => _isDraining = true;

    /// <summary>Packets are soon no longer decided.</summary>
    public void Stopping() => _running = null;

    private sealed record Running(Gateway Gateway, DivertRules? Divert);
}
