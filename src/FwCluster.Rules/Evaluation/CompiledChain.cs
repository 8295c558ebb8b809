using System.Collections.Immutable;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Evaluation;

/// <summary>A chain as it is evaluated, with the model that it came from for listings.</summary>
public sealed class CompiledChain
{
    internal CompiledChain(TableId table, Chain model, int firstSlot, CompiledRule[] compiled, ChainClassifier? classifier)
    {
        Table = table;
        Model = model;
        FirstSlot = firstSlot;
        Compiled = compiled;
        Classifier = classifier;
    }

    /// <summary>Its table.</summary>
    public TableId Table { get; }

    /// <summary>The chain as it was read.</summary>
    public Chain Model { get; }

    /// <summary>Its name.</summary>
    public string Name => Model.Name;

    /// <summary>Its rules as they were read; a rule's position is its index plus one.</summary>
    public ImmutableArray<Rule> Rules => Model.Rules;

    /// <summary>Counter slot of the policy; that of rule n (from 1) is n behind it.</summary>
    internal int FirstSlot { get; }

    internal CompiledRule[] Compiled { get; }

    /// <summary>Tells which rules are worth looking at; null for a chain that is as quickly walked.</summary>
    internal ChainClassifier? Classifier { get; }
}

/// <summary>A rule as it is evaluated. Immutable.</summary>
internal struct CompiledRule
{
    /// <summary>First match in <see cref="CompiledRuleset"/>'s list of all matches.</summary>
    public int FirstMatch;

    /// <summary>One past the last match.</summary>
    public int EndMatch;

    /// <summary>Index of the chain to jump or go to, or -1.</summary>
    public int Chain;

    /// <summary>True for a goto: the way back is the caller's.</summary>
    public bool IsGoto;

    /// <summary>The target; null for a jump and for a rule that only counts.</summary>
    public Target? Target;
}
