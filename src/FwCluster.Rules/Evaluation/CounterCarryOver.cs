using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Evaluation;

/// <summary>Which counters of a ruleset go on in another: found once, ahead of the change, so that the change itself only copies.</summary>
public sealed class CounterCarryOver
{
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
            var places = new Dictionary<string, Queue<int>>();
            for (var i = 0; i < was.Rules.Length; i++)
            {
                var text = TextOf(was.Name, was.Rules[i]);
                if (!places.TryGetValue(text, out var queue)) places.Add(text, queue = []);
                queue.Enqueue(was.FirstSlot + 1 + i);
            }
            for (var i = 0; i < chain.Rules.Length; i++)
            {
                if (places.TryGetValue(TextOf(chain.Name, chain.Rules[i]), out var queue) && queue.TryDequeue(out var from))
                    slots.Add((from, chain.FirstSlot + 1 + i));
            }
        }
        return new CounterCarryOver(slots);
    }

    private static string TextOf(string chain, Rule rule) => RulesetWriter.Write(chain, rule);
}
