using Google.Protobuf.WellKnownTypes;
using Wire = FwCluster.Control.Protocol.V1;

namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>What nodes say to each other about rules, to messages and back.</summary>
internal static class RulesetMessages
{
    public static Wire.RulesetVersion Version(RulesetGeneration generation) => new()
    {
        Number = generation.Number,
        Applied = Timestamp.FromDateTimeOffset(generation.Applied),
        Author = generation.Author,
        Comment = generation.Comment,
        Restores = generation.Restores,
        ConfirmBy = generation.ConfirmBy is { } until ? Timestamp.FromDateTimeOffset(until) : null,
        Digest = generation.Digest,
    };

    public static RulesetGeneration Generation(Wire.RulesetVersion version) => new()
    {
        Number = version.Number,
        Applied = version.Applied.ToDateTimeOffset(),
        Author = version.Author,
        Comment = version.Comment,
        Restores = version.Restores,
        ConfirmBy = version.ConfirmBy?.ToDateTimeOffset(),
        Digest = version.Digest,
    };

    public static Wire.RulesetTexts Texts(RulesetTexts texts) => new() { Ipv4 = texts.IPv4, Ipv6 = texts.IPv6, Sets = texts.Sets };

    public static RulesetTexts Texts(Wire.RulesetTexts texts) => new(texts.Ipv4, texts.Ipv6, texts.Sets);

    public static Wire.RulesetBallot Ballot(RulesetBallot ballot) => new() { Number = ballot.Number, Node = ballot.Node };

    public static RulesetBallot Ballot(Wire.RulesetBallot? ballot) => ballot is null ? default : new RulesetBallot(ballot.Number, ballot.Node);

    public static Wire.RulesetEventKind Kind(RulesetChangeKind kind) => (Wire.RulesetEventKind)((int)kind + 1);

    public static RulesetChangeKind Kind(Wire.RulesetEventKind kind)
        => kind == Wire.RulesetEventKind.Unspecified ? RulesetChangeKind.Applied : (RulesetChangeKind)((int)kind - 1);

    public static Wire.RulesetRefused.Types.Reason Reason(RulesetRefusal reason) => (Wire.RulesetRefused.Types.Reason)((int)reason + 1);

    public static RulesetRefusedException Refused(Wire.RulesetRefused refused) => new(
        refused.Reason is > Wire.RulesetRefused.Types.Reason.Unspecified and <= Wire.RulesetRefused.Types.Reason.Undecided
            ? (RulesetRefusal)((int)refused.Reason - 1)
            : RulesetRefusal.Node,
        refused.Message);

    /// <summary>True where both are the same generation, confirmed or not.</summary>
    public static bool AreSame(RulesetGeneration one, RulesetGeneration other) => one with { ConfirmBy = null } == other with { ConfirmBy = null };
}
