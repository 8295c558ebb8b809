using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FwCluster.Packets;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Evaluation;

/// <summary>
/// A ruleset made ready to be asked: chains laid out flat, jumps resolved, long chains with a classifier, and memory for the matches that
/// remember. The rules are immutable; the memory belongs to one worker, so each worker compiles its own.
/// </summary>
public sealed class CompiledRuleset
{
    /// <summary>Chains may call each other this deep. The kernel's nftables allows 16.</summary>
    public const int MaxDepth = 1024;

    // Of protocols whose headers are not decoded, but asked for by a match: SCTP's and DCCP's.
    private const int LongestOtherHeader = 12;

    private const int Tables = (int)TableId.Filter + 1;
    private const int Hooks = (int)Hook.PostRouting + 1;

    private readonly CompiledChain[] _chains;
    private readonly Match[] _matches;
    private readonly bool[] _runsOnce;
    private readonly int[] _entry;
    private readonly int _depth;
    private readonly int _slots;

    internal CompiledRuleset(Ruleset model, CompiledChain[] chains, Match[] matches, int depth, int slots)
    {
        Model = model;
        _chains = chains;
        Chains = ImmutableArray.Create(chains);
        _matches = matches;
        _depth = depth;
        _slots = slots;
        _entry = new int[Tables * Hooks];
        Array.Fill(_entry, -1);
        for (var c = 0; c < chains.Length; c++)
        {
            if (chains[c].Model.Hook is { } hook) _entry[(int)chains[c].Table * Hooks + (int)hook] = c;
        }
        _runsOnce = Array.ConvertAll(matches, m => m.Remembers || m.ReadsConnection);
        Remembers = Array.Exists(matches, m => m.Remembers);
    }

    /// <summary>The ruleset as it was read.</summary>
    public Ruleset Model { get; }

    /// <summary>IPv4 or IPv6.</summary>
    public IpFamily Family => Model.Family;

    /// <summary>Every chain, in the order of the ruleset.</summary>
    public ImmutableArray<CompiledChain> Chains { get; }

    /// <summary>True where some match <see cref="Match.Remembers"/>: a packet must then be evaluated once only.</summary>
    public bool Remembers { get; }

    /// <summary>Makes a ruleset ready.</summary>
    /// <param name="ruleset">A checked ruleset.</param>
    /// <param name="seed">Where chance (<c>-m statistic --mode random</c>) begins; by default somewhere new each time.</param>
    /// <exception cref="ArgumentException">Chains call each other in a circle, or more than <see cref="MaxDepth"/> deep.</exception>
    public static CompiledRuleset Compile(Ruleset ruleset, int? seed = null)
        => new RulesetCompiler(ruleset, new MatchMemory(seed ?? Random.Shared.Next())).Compile();

    /// <summary>The same for another worker: what is immutable is shared, what matches remember is its own.</summary>
    /// <param name="seed">As for <see cref="Compile"/>.</param>
    public CompiledRuleset ForAnother(int? seed = null)
    {
        var memory = new MatchMemory(seed ?? Random.Shared.Next());
        var matches = new Match[_matches.Length];
        var next = 0;
        foreach (var chain in _chains)
        {
            foreach (var rule in chain.Rules)
                foreach (var match in rule.Matches) matches[next++] = match.Bind(memory); // in the order of RulesetCompiler
        }
        return new CompiledRuleset(Model, _chains, matches, _depth, _slots);
    }

    /// <summary>Index in <see cref="Chains"/> of the chain that a table runs at a hook, or -1.</summary>
    public int ChainOf(TableId table, Hook hook) => _entry[(int)table * Hooks + (int)hook];

    /// <summary>Counters for one worker.</summary>
    /// <param name="fromText">True to go on from the counters that the text gave; so one worker of many does, the others begin at
    /// zero.</param>
    public RuleCounterSet CreateCounters(bool fromText)
    {
        var counters = new RuleCounterSet(this, _slots);
        if (!fromText) return counters;
        foreach (var chain in _chains)
        {
            counters.Start(chain.FirstSlot, chain.Model.PolicyCounters);
            for (var r = 0; r < chain.Rules.Length; r++) counters.Start(chain.FirstSlot + 1 + r, chain.Rules[r].Counters);
        }
        return counters;
    }

    /// <summary>
    /// Runs a table's chain of a hook over a packet (<c>ipt_do_table</c>). Does not allocate.
    /// </summary>
    /// <remarks>
    /// A rule counts once all its matches match, before its target acts. A user chain's end, and RETURN, lead behind the jump that came
    /// here; a goto leaves no way back of its own; without a jump left, the built-in chain's policy decides. A match may drop the packet
    /// on the spot: its rule does not count.
    /// </remarks>
    /// <param name="table">The table.</param>
    /// <param name="hook">The hook.</param>
    /// <param name="packet">The packet; targets change its mark, type of service, template.</param>
    /// <param name="counters">Where to count; null not to.</param>
    [SkipLocalsInit]
    public Decision Evaluate(TableId table, Hook hook, ref PacketContext packet, RuleCounterSet? counters)
    {
        var entry = ChainOf(table, hook);
        if (entry < 0) return Decision.NoChain;
        counters?.CheckBelongsTo(this);

        // Where jumps came from: chain and rule.
        Span<(int Chain, int Rule)> callers = stackalloc (int, int)[_depth];
        var depth = 0;
        var at = entry;
        var next = 0;
        while (true)
        {
            var chain = _chains[at];
            var step = chain.Classifier is null || IsUnclassifiable(in packet.Headers)
                ? Walk(chain, next, ref packet, counters)
                : WalkCandidates(chain, next, ref packet, counters);
            switch (step.Verdict)
            {
                case Verdict.Continue when step.Rule >= 0:
                    ref readonly var jump = ref chain.Compiled[step.Rule];
                    if (!jump.IsGoto) callers[depth++] = (at, step.Rule);
                    at = jump.Chain;
                    next = 0;
                    break;
                case Verdict.Continue:
                case Verdict.Return:
                    if (depth == 0)
                    {
                        counters?.Count(_chains[entry].FirstSlot, packet.Headers.TotalLength);
                        return new(_chains[entry].Model.Policy, entry, 0, false, null);
                    }
                    (at, next) = callers[--depth];
                    next++;
                    break;
                default:
                    var reject = step.Verdict == Verdict.Reject ? chain.Compiled[step.Rule].Target as RejectTarget : null;
                    return new(step.Verdict, at, step.Rule + 1, step.IsHotDrop, reject);
            }
        }
    }

    /// <summary>A match may drop a packet whose transport header it cannot read, in any rule that asks for it: the rules that a
    /// classifier would skip must be asked as well.</summary>
    private static bool IsUnclassifiable(in PacketHeaders headers)
        => headers.Transport == TransportHeader.Malformed || headers.IsFragment
            || headers.TransportLength < LongestOtherHeader
                && headers.Protocol is IpProtocol.Sctp or IpProtocol.Dccp or IpProtocol.UdpLite;

    private Step Walk(CompiledChain chain, int from, ref PacketContext packet, RuleCounterSet? counters)
    {
        var rules = chain.Compiled;
        for (var r = from; r < rules.Length; r++)
        {
            var verdict = Run(ref rules[r], chain.FirstSlot + 1 + r, ref packet, counters, out var stop);
            if (stop != Stop.No) return new(verdict, r, stop == Stop.HotDrop);
        }
        return Step.End;
    }

    [SkipLocalsInit]
    private Step WalkCandidates(CompiledChain chain, int from, ref PacketContext packet, RuleCounterSet? counters)
    {
        var rules = chain.Compiled;
        var classifier = chain.Classifier!;
        classifier.Start(in packet, from, out var candidates);
        for (var r = classifier.Next(ref candidates); r >= 0; r = classifier.Next(ref candidates))
        {
            var verdict = Run(ref rules[r], chain.FirstSlot + 1 + r, ref packet, counters, out var stop);
            if (stop != Stop.No) return new(verdict, r, stop == Stop.HotDrop);
        }
        return Step.End;
    }

    /// <summary>One rule: its matches, its counters, its target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Verdict Run(ref CompiledRule rule, int slot, ref PacketContext packet, RuleCounterSet? counters, out Stop stop)
    {
        stop = Stop.No;
        var hotDrop = false;
        for (var m = rule.FirstMatch; m < rule.EndMatch; m++)
        {
            if (packet.IsTrial && _runsOnce[m]) return GiveUp(ref packet, out stop);
            if (_matches[m].Matches(ref packet, ref hotDrop)) continue;
            if (hotDrop) stop = Stop.HotDrop;
            return hotDrop ? Verdict.Drop : Verdict.Continue;
        }
        if (packet.IsTrial && rule.Target is { UsesConnection: true }) return GiveUp(ref packet, out stop);
        counters?.Count(slot, packet.Headers.TotalLength);
        var verdict = rule.Target is { } target ? target.Apply(ref packet) : Verdict.Continue;
        if (verdict != Verdict.Continue || rule.Chain >= 0) stop = Stop.Yes;
        return verdict;
    }

    /// <summary>A trial ends where it would leave something behind.</summary>
    private static Verdict GiveUp(ref PacketContext packet, out Stop stop)
    {
        packet.MustAskFirst = true;
        stop = Stop.HotDrop;
        return Verdict.Drop;
    }

    private enum Stop : byte
    {
        No,
        Yes,
        HotDrop,
    }

    /// <summary>Why a walk through a chain stopped: a verdict, a jump (Continue with a rule), or the chain's end.</summary>
    private readonly record struct Step(Verdict Verdict, int Rule, bool IsHotDrop)
    {
        public static Step End => new(Verdict.Continue, -1, false);
    }
}
