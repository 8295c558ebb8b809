using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Evaluation;

/// <summary>Which counters of a ruleset go on in another: found once, ahead of the change, so that the change itself only copies.</summary>
public sealed class CounterCarryOver
{
    private const int None = -1;

    private CounterCarryOver(List<(int From, int To)> slots) => Slots = slots;

    /// <summary>Slots of the old ruleset and where they go on.</summary>
    internal List<(int From, int To)> Slots { get; }

    /// <summary>Compares two rulesets: chains by table and name, rules by their text.</summary>
    public static CounterCarryOver Plan(CompiledRuleset before, CompiledRuleset after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var slots = new List<(int, int)>();
        var old = before.Chains.ToDictionary(c => (c.Table, c.Name));
        foreach (var chain in after.Chains)
        {
            if (!old.TryGetValue((chain.Table, chain.Name), out var was)) continue;
            slots.Add((was.FirstSlot, chain.FirstSlot));
            if (was.Rules.Length > 0 && chain.Rules.Length > 0) PlanRules(was, chain, slots);
        }
        return new CounterCarryOver(slots);
    }

    private static void PlanRules(CompiledChain was, CompiledChain chain, List<(int, int)> slots)
    {
        // The first rule of each text, and behind each rule the next one of the same text.
        var first = new Dictionary<string, int>(was.Rules.Length, StringComparer.Ordinal);
        var next = new int[was.Rules.Length];
        var text = new StringBuilder();
        for (var i = was.Rules.Length - 1; i >= 0; i--)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(first, TextOf(text, was.Rules[i]), out var isKnown);
            next[i] = isKnown ? place : None;
            place = i;
        }
        for (var i = 0; i < chain.Rules.Length; i++)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrNullRef(first, TextOf(text, chain.Rules[i]));
            if (Unsafe.IsNullRef(ref place) || place == None) continue;
            slots.Add((was.FirstSlot + 1 + place, chain.FirstSlot + 1 + i));
            place = next[place];
        }
    }

    private static string TextOf(StringBuilder text, Rule rule)
    {
        RulesetWriter.Write(text.Clear(), rule);
        return text.ToString();
    }
}
