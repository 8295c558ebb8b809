using FwCluster.Api.V1;
using Google.Protobuf.WellKnownTypes;

namespace FwCluster.Control.Rulesets;

/// <summary>Generations and their texts, to the API's messages and back: what clients are told, and what nodes tell each other.</summary>
internal static class GenerationMessages
{
    public static Generation Of(RulesetGeneration generation) => new()
    {
        Number = generation.Number,
        Applied = Timestamp.FromDateTimeOffset(generation.Applied),
        Author = generation.Author,
        Comment = generation.Comment,
        Restores = generation.Restores,
        ConfirmBy = generation.ConfirmBy is { } until ? Timestamp.FromDateTimeOffset(until) : null,
        Digest = generation.Digest,
    };

    public static RulesetGeneration Read(Generation generation) => new()
    {
        Number = generation.Number,
        Applied = generation.Applied.ToDateTimeOffset(),
        Author = generation.Author,
        Comment = generation.Comment,
        Restores = generation.Restores,
        ConfirmBy = generation.ConfirmBy?.ToDateTimeOffset(),
        Digest = generation.Digest,
    };

    public static RulesetText Of(RulesetTexts texts) => new() { Ipv4 = texts.IPv4, Ipv6 = texts.IPv6, Sets = texts.Sets };

    public static RulesetTexts Read(RulesetText? texts) => texts is null ? RulesetTexts.Empty : new(texts.Ipv4, texts.Ipv6, texts.Sets);

    public static RulesetEvent.Types.Kind Of(RulesetChangeKind kind) => (RulesetEvent.Types.Kind)((int)kind + 1);

    public static RulesetChangeKind Read(RulesetEvent.Types.Kind kind)
        => kind == RulesetEvent.Types.Kind.Unspecified ? RulesetChangeKind.Applied : (RulesetChangeKind)((int)kind - 1);
}
