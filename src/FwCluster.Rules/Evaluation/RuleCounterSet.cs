using System.Diagnostics;
using System.Runtime.CompilerServices;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Evaluation;

/// <summary>
/// The packets and bytes of each rule and policy of a <see cref="CompiledRuleset"/>, as one worker counts them. The worker is the only
/// one that adds; anybody may read. Zeroing does not write where the worker writes: it remembers what was there and subtracts.
/// </summary>
public sealed class RuleCounterSet
{
    // Immutable.
    private readonly CompiledRuleset _ruleset;

    // Mutable, owned by the worker. Slot n has its packets at 2n and its bytes at 2n + 1.
    private readonly ulong[] _counted;

    // Mutable, owned by readers, under the lock on itself.
    private readonly ulong[] _zeroed;

    internal RuleCounterSet(CompiledRuleset ruleset, int slots)
    {
        _ruleset = ruleset;
        _counted = new ulong[slots * 2];
        _zeroed = new ulong[slots * 2];
    }

    /// <summary>Adds up what several workers have counted, each with the same ruleset compiled for itself.</summary>
    /// <exception cref="ArgumentException">There is none, or they are counters of different rules.</exception>
    public static RuleCounterSet Sum(IReadOnlyList<RuleCounterSet> counters)
    {
        ArgumentNullException.ThrowIfNull(counters);
        if (counters.Count == 0) throw new ArgumentException("there is nothing to add up", nameof(counters));
        var sum = new RuleCounterSet(counters[0]._ruleset, counters[0]._counted.Length / 2);
        foreach (var one in counters)
        {
            if (one._counted.Length != sum._counted.Length) throw new ArgumentException("these are counters of different rules", nameof(counters));
            lock (one._zeroed)
            {
                for (var i = 0; i < sum._counted.Length; i++) sum._counted[i] += Volatile.Read(ref one._counted[i]) - one._zeroed[i];
            }
        }
        return sum;
    }

    /// <summary>What the rule at this position (from 1) of a chain has counted since zeroed; position 0 is the policy.</summary>
    /// <param name="chain">Index in <see cref="CompiledRuleset.Chains"/>.</param>
    /// <param name="position">0 to the number of rules.</param>
    public RuleCounters Read(int chain, int position)
    {
        var slot = Slot(chain, position);
        lock (_zeroed) return ReadSlot(slot);
    }

    /// <summary>Reads and zeroes in one step: a packet counted meanwhile is counted after zero.</summary>
    /// <param name="chain">Index in <see cref="CompiledRuleset.Chains"/>.</param>
    /// <param name="position">0 to the number of rules.</param>
    public RuleCounters ReadAndZero(int chain, int position)
    {
        var slot = Slot(chain, position);
        lock (_zeroed)
        {
            var read = ReadSlot(slot);
            _zeroed[2 * slot] += read.Packets;
            _zeroed[2 * slot + 1] += read.Bytes;
            return read;
        }
    }

    /// <summary>Zeroes every counter.</summary>
    public void Zero()
    {
        lock (_zeroed)
        {
            for (var i = 0; i < _zeroed.Length; i++) _zeroed[i] = Volatile.Read(ref _counted[i]);
        }
    }

    /// <summary>
    /// Goes on from the counters of another ruleset: of the policy of a chain that both have, and of each rule that stands in such a
    /// chain in both, word for word (of equal ones, in their order). By the worker, when it changes from the one to the other.
    /// </summary>
    /// <param name="before">The counters so far.</param>
    /// <param name="plan">What <see cref="CounterCarryOver.Plan"/> found for the two rulesets.</param>
    public void CarryFrom(RuleCounterSet before, CounterCarryOver plan)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(plan);
        lock (before._zeroed)
        lock (_zeroed)
        {
            foreach (var (from, to) in plan.Slots)
            {
                _counted[2 * to] = before._counted[2 * from];
                _counted[2 * to + 1] = before._counted[2 * from + 1];
                _zeroed[2 * to] = before._zeroed[2 * from];
                _zeroed[2 * to + 1] = before._zeroed[2 * from + 1];
            }
        }
    }

    /// <summary>Counts a packet. By the worker alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Count(int slot, int bytes)
    {
        _counted[2 * slot]++;
        _counted[2 * slot + 1] += (uint)bytes;
    }

    internal void Start(int slot, RuleCounters counters)
    {
        _counted[2 * slot] = counters.Packets;
        _counted[2 * slot + 1] = counters.Bytes;
    }

    internal void CheckBelongsTo(CompiledRuleset ruleset)
        => Debug.Assert(ReferenceEquals(ruleset, _ruleset), "counters of another ruleset");

    private RuleCounters ReadSlot(int slot) => new(
        Volatile.Read(ref _counted[2 * slot]) - _zeroed[2 * slot],
        Volatile.Read(ref _counted[2 * slot + 1]) - _zeroed[2 * slot + 1]);

    private int Slot(int chain, int position)
    {
        var compiled = _ruleset.Chains[chain];
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, compiled.Rules.Length);
        return compiled.FirstSlot + position;
    }
}
