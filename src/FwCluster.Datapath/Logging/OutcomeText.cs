using FwCluster.Conntrack;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Logging;

/// <summary>Why a packet did not pass, in a line for people: <c>DROP chain=INPUT rule=3 state=INVALID reason=TcpWindow</c>. Does not
/// allocate.</summary>
public static class OutcomeText
{
    /// <summary>Room for every line.</summary>
    public const int MaxBytes = 256;

    private static readonly string[] Failures = Enum.GetNames<TrackFailure>();

    /// <summary>Writes the line for an outcome.</summary>
    /// <param name="outcome">What became of the packet.</param>
    /// <param name="rules">The rules of its family that decided.</param>
    /// <param name="text">Where the line goes, in UTF-8; what does not fit is cut.</param>
    /// <returns>Bytes written; 0 where the packet was not stopped.</returns>
    public static int Write(in PacketOutcome outcome, CompiledRuleset rules, Span<byte> text)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var line = new LineWriter(text);
        switch (outcome.Fate)
        {
            case PacketFate.Dropped or PacketFate.Rejected:
                WriteDecision(ref line, in outcome, rules);
                break;
            case PacketFate.TrackingDropped:
                line.Text("DROP tracking"u8);
                break;
            case PacketFate.BadHeader:
                line.Text("DROP header"u8);
                break;
            case PacketFate.FragmentDropped:
                line.Text("DROP fragment"u8);
                break;
            default:
                return 0;
        }
        if (outcome.State != ConntrackState.None)
        {
            line.Text(" state="u8);
            line.Text(outcome.State.Name());
        }
        if (outcome.Failure != TrackFailure.None)
        {
            line.Text(" reason="u8);
            line.Text(Failures[(int)outcome.Failure]);
        }
        return line.Length;
    }

    private static void WriteDecision(ref LineWriter line, in PacketOutcome outcome, CompiledRuleset rules)
    {
        line.Text(outcome.Fate == PacketFate.Rejected ? "REJECT"u8 : "DROP"u8);
        if (outcome.Decision.Chain < 0) return;
        var chain = rules.Chains[outcome.Decision.Chain];
        line.Text(" chain="u8);
        if (chain.Table != TableId.Filter)
        {
            line.Text(chain.Table.Name());
            line.Text(":"u8);
        }
        line.Text(chain.Name);
        line.Text(" rule="u8);
        if (outcome.Decision.Rule == 0) line.Text("policy"u8);
        else line.Decimal((uint)outcome.Decision.Rule);
        if (outcome.Decision.Reject is not { } reject) return;
        line.Text(" with="u8);
        line.Text(Rules.Model.RejectTypeExtensions.Name(reject.Type));
    }
}
