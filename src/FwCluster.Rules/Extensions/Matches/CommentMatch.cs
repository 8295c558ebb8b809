using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m comment</c>: matches every packet, and is there for who reads the rule.</summary>
/// <param name="comment">The comment.</param>
public sealed class CommentMatch(string comment) : Match
{
    /// <summary>The comment.</summary>
    public string Comment { get; } = comment;

    /// <inheritdoc/>
    public override string Name => "comment";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => true;

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"/* {Comment} */");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => writer.Word("--comment").String(Comment);
}

/// <summary>The language of <c>-m comment</c> (libxt_comment.c).</summary>
public sealed class CommentMatchExtension : MatchExtension
{
    private const int MaxComment = 255;

    /// <inheritdoc/>
    public override string Name => "comment";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("comment") { Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("comment") is { } use ? new CommentMatch(options.Text(use.Word, 0, MaxComment)) : null;
}
