using FwCluster.Conntrack;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <content>The hooks on a packet's way, in the kernel's order.</content>
public sealed partial class PacketWorker
{
    /// <summary>What comes before tracking: the raw table, at PREROUTING or OUTPUT.</summary>
    private static bool AskRaw(ActiveRuleset rules, in PacketRoute route, ref PacketContext context, ref PacketOutcome outcome)
    {
        route.Enter(ref context);
        return Ask(rules, TableId.Raw, route.ComesIn ? Hook.PreRouting : Hook.Output, ref context, ref outcome);
    }

    /// <summary>What comes behind tracking: the other tables, and the confirmation of a connection that begins.</summary>
    private bool AskOthers(ActiveRuleset rules, in PacketRoute route, ref PacketContext context, ref PacketOutcome outcome) => route.Way switch
    {
        PacketWay.Input => ComeIn(rules, ref context, ref outcome) && Deliver(rules, ref context, ref outcome),
        PacketWay.Forward => ComeIn(rules, ref context, ref outcome) && Forward(rules, route.Out, ref context, ref outcome),
        PacketWay.Output => SendOut(rules, ref context, ref outcome),
        _ => SendOut(rules, ref context, ref outcome) && (context.IsTrial || LoopBack(rules, ref context, ref outcome)),
    };

    /// <summary>Hook PREROUTING, behind tracking.</summary>
    private static bool ComeIn(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
        => Ask(rules, TableId.Mangle, Hook.PreRouting, ref context, ref outcome);

    /// <summary>Hook INPUT.</summary>
    private bool Deliver(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
        => Ask(rules, TableId.Mangle, Hook.Input, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Input, ref context, ref outcome)
            && Confirm(ref context, ref outcome);

    /// <summary>Hooks FORWARD and POSTROUTING.</summary>
    private bool Forward(ActiveRuleset rules, InterfaceName to, ref PacketContext context, ref PacketOutcome outcome)
    {
        context.Out = to;
        // The router takes one away before its rules see the packet (ip_forward, ip6_forward).
        if (context.Headers.Ttl > 0) context.Headers.Ttl--;
        return Ask(rules, TableId.Mangle, Hook.Forward, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Forward, ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PostRouting, ref context, ref outcome)
            && Confirm(ref context, ref outcome);
    }

    /// <summary>Hooks OUTPUT and POSTROUTING, behind tracking.</summary>
    private bool SendOut(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
        => RelateOwnError(ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.Output, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Output, ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PostRouting, ref context, ref outcome)
            && Confirm(ref context, ref outcome);

    /// <summary>
    /// Out, and in again. The packet keeps its connection over the loopback interface: coming in, it is not tracked a second time and
    /// CT rules do not touch it (nf_conntrack_in, xt_ct_target). An INVALID one has no connection, and is tracked afresh.
    /// </summary>
    private bool LoopBack(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
    {
        context.Template = default;
        var isTrackedAfresh = context.Track.State == ConntrackState.Invalid;
        var before = context.Track;
        if (isTrackedAfresh) context.Track = new TrackResult { Connection = -1 };
        else context.Template.IsSet = true;
        (context.In, context.Out) = (Loopback, default);
        if (!Ask(rules, TableId.Raw, Hook.PreRouting, ref context, ref outcome)) return false;
        // A shard that has told once that the packet is INVALID is not asked again.
        if (isTrackedAfresh && !Track(ref context, ref outcome)) context.Track = before;
        return outcome.Fate != PacketFate.TrackingDropped && ComeIn(rules, ref context, ref outcome) && Deliver(rules, ref context, ref outcome);
    }

    private static bool Ask(ActiveRuleset rules, TableId table, Hook hook, ref PacketContext context, ref PacketOutcome outcome)
    {
        if (table != TableId.Filter && rules.Rules.ChainOf(table, hook) < 0) return true;
        context.Hook = hook;
        var decision = rules.Rules.Evaluate(table, hook, ref context, context.IsTrial ? null : rules.Counters);
        var accepted = decision.Verdict == Verdict.Accept;
        if (accepted && table != TableId.Filter) return true;
        outcome.Table = table;
        outcome.Hook = hook;
        outcome.Decision = decision;
        if (!accepted) outcome.Fate = decision.Verdict == Verdict.Reject ? PacketFate.Rejected : PacketFate.Dropped;
        return accepted;
    }

    /// <summary>Tells the packet's state, as far as this worker can; where that drops it, the outcome says so.</summary>
    /// <returns>False where a shard must be asked.</returns>
    private bool Track(ref PacketContext context, ref PacketOutcome outcome)
    {
        // Rules behind the one with the zone may have marked the packet since.
        if (context.Template.ZoneIsMark) context.Template.Zone = (ushort)context.Mark;
        if (_link is null) context.Track = Connections.Track(in context.Headers, context.Packet, in context.Template, _now);
        else if (!TrackGranted(ref context)) return false;
        Note(in context.Track, ref outcome);
        return true;
    }

    private static void Note(in TrackResult track, ref PacketOutcome outcome)
    {
        outcome.State = track.State;
        outcome.Direction = track.Direction;
        outcome.Failure = track.Failure;
        if (track.Drop) outcome.Fate = PacketFate.TrackingDropped;
    }

    /// <summary>
    /// The host's own ICMP error is about a packet that it just took in, and so RELATED (nf_conntrack_attach), even where that packet's
    /// connection was never confirmed, or the packet came to its end before a queue could show it: its TTL was used up, or no route led on.
    /// </summary>
    private static bool RelateOwnError(ref PacketContext context, ref PacketOutcome outcome)
    {
        if (context.Track.Failure != TrackFailure.IcmpUnknownQuote) return true;
        context.Track.Failure = outcome.Failure = TrackFailure.None;
        context.Track.State = outcome.State = ConntrackState.Related;
        return true;
    }

    private bool Confirm(ref PacketContext context, ref PacketOutcome outcome)
    {
        if (context.IsTrial || Connections.Confirm(ref context.Track, in context.Headers, context.Packet, _now)) return true;
        outcome.Fate = PacketFate.TrackingDropped;
        outcome.Failure = context.Track.Failure;
        return false;
    }
}
