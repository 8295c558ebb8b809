using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m state</c> (libxt_conntrack.c).</summary>
public sealed class StateMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "state";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("state") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("state") is { } use
            ? new StateMatch(StateSet.Read(options, use.Word, withTranslation: false), use.IsInverted)
            : null;
}
