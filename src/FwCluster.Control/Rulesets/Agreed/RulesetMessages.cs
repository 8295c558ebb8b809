using Wire = FwCluster.Control.Protocol.V1;

namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>What nodes say to each other about rules alone, to messages and back; generations are <see cref="GenerationMessages"/>'.</summary>
internal static class RulesetMessages
{
    public static Wire.RulesetBallot Ballot(RulesetBallot ballot) => new() { Number = ballot.Number, Node = ballot.Node };

    public static RulesetBallot Ballot(Wire.RulesetBallot? ballot) => ballot is null ? default : new RulesetBallot(ballot.Number, ballot.Node);

    public static Wire.RulesetRefused.Types.Reason Reason(RulesetRefusal reason) => (Wire.RulesetRefused.Types.Reason)((int)reason + 1);

    public static RulesetRefusedException Refused(Wire.RulesetRefused refused) => new(
        refused.Reason is > Wire.RulesetRefused.Types.Reason.Unspecified and <= Wire.RulesetRefused.Types.Reason.Undecided
            ? (RulesetRefusal)((int)refused.Reason - 1)
            : RulesetRefusal.Node,
        refused.Message);

    /// <summary>True where both are the same generation, confirmed or not.</summary>
    public static bool AreSame(RulesetGeneration one, RulesetGeneration other) => one with { ConfirmBy = null } == other with { ConfirmBy = null };
}
