using FwCluster.Conntrack;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary><c>-j CT</c>: says how a packet will be tracked (<c>xt_ct_target</c> in xt_CT.c). The first one that a packet meets counts.</summary>
public sealed class CtTarget : Target
{
    /// <summary><c>--notrack</c>; nothing else counts then.</summary>
    public bool NoTrack { get; init; }

    /// <summary>Written <c>-j NOTRACK</c>.</summary>
    public bool IsNoTrackTarget { get; init; }

    /// <summary><c>--helper</c>, or null.</summary>
    public string? Helper { get; init; }

    /// <summary><c>--zone</c> and its kin; 0 is the default zone.</summary>
    public ushort Zone { get; init; }

    /// <summary><c>--zone mark</c>: the packet's mark is the zone.</summary>
    public bool IsZoneMark { get; init; }

    /// <summary>In which directions the zone counts.</summary>
    public ZoneDirections ZoneDirections { get; init; } = ZoneDirections.Both;

    /// <inheritdoc/>
    public override string Name => IsNoTrackTarget ? "NOTRACK" : "CT";

    /// <inheritdoc/>
    public override string ListedName => "CT";

    /// <inheritdoc/>
    public override Verdict Apply(ref PacketContext packet)
    {
        ref var template = ref packet.Template;
        if (template.IsSet || packet.Track.State != ConntrackState.None) return Verdict.Continue;
        template.IsSet = true;
        template.NoTrack = NoTrack;
        if (NoTrack) return Verdict.Continue;
        template.Zone = Zone;
        template.ZoneIsMark = IsZoneMark;
        if (IsZoneMark || Zone != 0) template.ZoneDirections = ZoneDirections;
        if (Helper is not null) template.Helper = Find(packet.Connections.Helpers);
        return Verdict.Continue;
    }

    private byte Find(IReadOnlyList<Conntrack.Helpers.ConnectionHelper> helpers)
    {
        for (var i = 0; i < helpers.Count; i++)
        {
            if (helpers[i].Name == Helper) return (byte)(i + 1);
        }
        return 0;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words(Name);
        if (IsNoTrackTarget) return;
        if (NoTrack) writer.Words("notrack");
        if (Helper is not null) writer.Words("helper").Words(Helper);
        if (!IsZoneMark && Zone == 0) return;
        writer.Words(ZoneDirections switch
        {
            ZoneDirections.Original => "zone-orig",
            ZoneDirections.Reply => "zone-reply",
            _ => "zone",
        });
        if (IsZoneMark) writer.Words("mark");
        else writer.Number(Zone);
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (IsNoTrackTarget) return;
        if (NoTrack) writer.Word("--notrack");
        if (Helper is not null) writer.Word("--helper").Word(Helper);
        if (!IsZoneMark && Zone == 0) return;
        writer.Word(ZoneDirections switch
        {
            ZoneDirections.Original => "--zone-orig",
            ZoneDirections.Reply => "--zone-reply",
            _ => "--zone",
        });
        if (IsZoneMark) writer.Word("mark");
        else writer.Number(Zone);
    }
}
