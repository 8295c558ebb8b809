using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>The language of <c>-j CT</c> (libxt_CT.c, revision 2).</summary>
public sealed class CtTargetExtension : TargetExtension
{
    /// <inheritdoc/>
    public override string Name => "CT";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Tables = ["raw"] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("notrack", 0), new("helper"), new("zone"), new("zone-orig"), new("zone-reply"),
        new("timeout") { Unsupported = "timeouts are a setting of the cluster, the same for every connection of a kind" },
        new("ctevents") { Unsupported = "connections are told of by the event stream, to those who subscribe" },
        new("expevents") { Unsupported = "expectations are told of by the event stream, to those who subscribe" },
    ];

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options)
    {
        var noTrack = options.Has("notrack");
        var directions = ZoneDirections.None;
        var zone = (ushort)0;
        var isMark = false;
        foreach (var use in options.Uses)
        {
            if (use.Spec.Name == "zone-orig") directions |= ZoneDirections.Original;
            else if (use.Spec.Name == "zone-reply") directions |= ZoneDirections.Reply;
            else if (use.Spec.Name != "zone") continue;
            if (use.Word.Text.Equals("mark", StringComparison.OrdinalIgnoreCase)) isMark = true;
            else zone = (ushort)options.Number(use.Word, 0, ushort.MaxValue);
        }
        return new CtTarget
        {
            NoTrack = noTrack,
            Helper = Helper(options, isChecked: !noTrack),
            Zone = zone,
            IsZoneMark = isMark,
            ZoneDirections = directions == ZoneDirections.None ? ZoneDirections.Both : directions,
        };
    }

    // The kernel asks for the helper of this name that reads the rule's protocol (xt_ct_set_helper).
    private static string? Helper(ExtensionOptions options, bool isChecked)
    {
        if (options.Find("helper") is not { } use) return null;
        if (!isChecked) return use.Word.Text;
        var known = options.Rule.Settings.Helpers;
        var found = known.FirstOrDefault(h => h.Name == use.Word.Text);
        if (found.Name is null)
        {
            options.Error(use.Word, $"CT: there is no helper \"{use.Word}\"",
                Nearest.Hint(use.Word.Text, known.Select(h => h.Name)) ?? "there are " + string.Join(", ", known.Select(h => h.Name)));
        }
        else if (options.Rule.Protocol != found.Protocol || options.Rule.IsProtocolInverted)
        {
            options.Error(use.Word, $"CT: the helper {found.Name} reads {ProtocolNames.Name(found.Protocol)} only",
                $"write -p {ProtocolNames.Name(found.Protocol)} in this rule");
        }
        return use.Word.Text;
    }
}

/// <summary>The language of <c>-j NOTRACK</c>: <c>-j CT --notrack</c> under its old name.</summary>
public sealed class NoTrackTargetExtension : TargetExtension
{
    private static readonly CtTarget NoTrack = new() { NoTrack = true, IsNoTrackTarget = true };

    /// <inheritdoc/>
    public override string Name => "NOTRACK";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Tables = ["raw"] };

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options) => NoTrack;
}
