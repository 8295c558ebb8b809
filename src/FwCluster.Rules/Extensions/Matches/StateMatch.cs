using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m state</c> (<c>state_mt</c> in xt_state.c).</summary>
/// <param name="states">The states.</param>
/// <param name="isInverted">True for <c>! --state</c>.</param>
public sealed class StateMatch(StateSet states, bool isInverted) : Match
{
    /// <summary>The states.</summary>
    public StateSet States { get; } = states;

    /// <summary>True for <c>! --state</c>.</summary>
    public bool IsInverted { get; } = isInverted;

    /// <inheritdoc/>
    public override string Name => "state";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => States.Contains(PacketConnection.State(in packet)) != IsInverted;

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints) => States.Constrain(constraints, IsInverted);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Option("--state", IsInverted).Word(States.Names);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words((IsInverted ? "! state " : "state ") + States.Names);
}
