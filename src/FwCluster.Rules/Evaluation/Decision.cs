using FwCluster.Rules.Model;

namespace FwCluster.Rules.Evaluation;

/// <summary>What a table says of a packet, and which rule said it.</summary>
/// <param name="Verdict"><see cref="Verdict.Accept"/>, <see cref="Verdict.Drop"/> or <see cref="Verdict.Reject"/>.</param>
/// <param name="Chain">Index of the deciding chain in <see cref="CompiledRuleset.Chains"/>; -1 where the table has no chain for the
/// hook, which accepts.</param>
/// <param name="Rule">The deciding rule's position in its chain, from 1; 0 for the policy.</param>
/// <param name="IsHotDrop">A match of that rule dropped the packet without the rule's having matched: nothing was counted.</param>
/// <param name="Reject">How to tell the sender, where the verdict is <see cref="Verdict.Reject"/>.</param>
public readonly record struct Decision(Verdict Verdict, int Chain, int Rule, bool IsHotDrop, RejectTarget? Reject)
{
    /// <summary>What a table without a chain for the hook says.</summary>
    public static Decision NoChain => new(Verdict.Accept, -1, 0, false, null);
}
