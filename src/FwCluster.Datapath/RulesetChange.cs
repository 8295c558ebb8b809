using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>
/// Rules of both families on their way to a worker: compiled ahead, so that changing to them takes the worker no longer than copying the
/// counters that go on. Belongs to one worker, as compiled rules do.
/// </summary>
public sealed class RulesetChange
{
    private readonly TaskCompletionSource _made = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly (CompiledRuleset Before, CompiledRuleset After, CounterCarryOver Plan) _ipv4;
    private readonly (CompiledRuleset Before, CompiledRuleset After, CounterCarryOver Plan) _ipv6;

    /// <summary>Prepares the change of a worker to other rules.</summary>
    /// <param name="worker">The worker; nobody else changes its rules meanwhile.</param>
    /// <param name="ipv4">Its IPv4 rules from then on.</param>
    /// <param name="ipv6">Its IPv6 rules from then on.</param>
    public RulesetChange(PacketWorker worker, CompiledRuleset ipv4, CompiledRuleset ipv6)
    {
        ArgumentNullException.ThrowIfNull(worker);
        _ipv4 = Plan(worker.Rules(IpFamily.IPv4).Rules, ipv4);
        _ipv6 = Plan(worker.Rules(IpFamily.IPv6).Rules, ipv6);
    }

    /// <summary>Completes when the worker has changed.</summary>
    public Task Made => _made.Task;

    internal ActiveRuleset Next(ActiveRuleset current)
    {
        var (before, after, plan) = current.Rules.Family == IpFamily.IPv4 ? _ipv4 : _ipv6;
        var counters = after.CreateCounters(fromText: false);
        // Prepared for other rules than these, where one change overtook another: counting begins anew.
        if (ReferenceEquals(before, current.Rules)) counters.CarryFrom(current.Counters, plan);
        return new ActiveRuleset(after, counters);
    }

    internal void NoteMade() => _made.TrySetResult();

    private static (CompiledRuleset, CompiledRuleset, CounterCarryOver) Plan(CompiledRuleset before, CompiledRuleset after)
        => (before, after, CounterCarryOver.Plan(before, after));
}
