namespace FwCluster.Control.Rulesets.Followed;

/// <summary>What became of a change of followed rule files.</summary>
/// <param name="Generation">The generation that they are; null where nothing was changed.</param>
/// <param name="Message">The same in words, and, where nothing was changed, why: with each mistake's place.</param>
public sealed record FollowedChange(ulong? Generation, string Message);
