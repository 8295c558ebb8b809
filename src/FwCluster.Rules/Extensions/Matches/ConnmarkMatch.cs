using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m connmark</c>: the connection's mark (<c>connmark_mt</c> in xt_connmark.c). A packet without a connection does not match,
/// inverted or not.</summary>
/// <param name="pattern">The mark.</param>
public sealed class ConnmarkMatch(MarkPattern pattern) : Match
{
    /// <summary>The mark.</summary>
    public MarkPattern Pattern { get; } = pattern;

    /// <inheritdoc/>
    public override string Name => "connmark";

    /// <inheritdoc/>
    public override bool ReadsConnection => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => PacketConnection.Kind(in packet) switch
    {
        PacketConnectionKind.Entry => Pattern.Matches(packet.Connection.Mark),
        PacketConnectionKind.Template => Pattern.Matches(0),
        _ => false,
    };

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"connmark match {(Pattern.IsInverted ? "!" : "")} {Pattern.Listing}");

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => Pattern.Write(writer);
}

/// <summary>The language of <c>-m connmark</c> (libxt_connmark.c).</summary>
public sealed class ConnmarkMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "connmark";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("mark") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options) => MarkPattern.Read(options) is { } mark ? new ConnmarkMatch(mark) : null;
}
