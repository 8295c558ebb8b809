using FwCluster.Conntrack;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;
using FwCluster.Packets.Fragments;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>
/// The way of a packet, from a port to its verdict. One worker, one thread; its connections are its own.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>Decode the link layer, then the IP packet.</item>
/// <item>Put fragments together: what follows sees whole packets only.</item>
/// <item>Tell the packet's way by the host's addresses: INPUT, OUTPUT, FORWARD, or both over the loopback interface.</item>
/// <item>Run the hooks on that way in the kernel's order (<c>enum nf_ip_hook_priorities</c>), tracking between raw and mangle.</item>
/// <item>Confirm the connection that the packet began, or discard it.</item>
/// </list>
/// Processing a packet does not allocate, but for fragments and for what tracking says it allocates.
/// <code>
///              raw  track  mangle          mangle  filter
/// in  ->  PREROUTING ----------->  to us?  INPUT ----------------------> confirm
///                                  else    FORWARD ---> POSTROUTING ---> confirm
/// out ->  OUTPUT (raw track mangle filter) ----------> POSTROUTING ---> confirm
/// </code>
/// </remarks>
public sealed class PacketWorker
{
    private const int SweepEvery = 256;
    private const int SweepBudget = 512;

    private static readonly InterfaceName Loopback = InterfaceName.From("lo");

    private ActiveRuleset _ipv4;
    private ActiveRuleset _ipv6;
    private RulesetChange? _change;
    private readonly HostAddresses _host;
    private readonly IPacketLog _log;
    private readonly RejectAnswers? _answers;
    private readonly Reassembler _reassembler;
    private long _now;
    private int _untilSweep = SweepEvery;

    /// <summary>Makes a worker.</summary>
    /// <param name="ipv4">The IPv4 rules.</param>
    /// <param name="ipv6">The IPv6 rules.</param>
    /// <param name="connections">The connections, from now on this worker's.</param>
    /// <param name="host">The addresses of the host whose rules these are.</param>
    /// <param name="log">Where LOG and NFLOG go; null for nowhere.</param>
    /// <param name="reassembly">Limits of reassembly; null for the kernel's.</param>
    /// <param name="answers">What answers the packets that a REJECT rule stops; null where nobody sends the answers.</param>
    public PacketWorker(ActiveRuleset ipv4, ActiveRuleset ipv6, ConnectionTable connections, HostAddresses host,
        IPacketLog? log = null, ReassemblyOptions? reassembly = null, RejectAnswers? answers = null)
    {
        ArgumentNullException.ThrowIfNull(ipv4);
        ArgumentNullException.ThrowIfNull(ipv6);
        if (ipv4.Rules.Family != IpFamily.IPv4) throw new ArgumentException("these are not IPv4 rules", nameof(ipv4));
        if (ipv6.Rules.Family != IpFamily.IPv6) throw new ArgumentException("these are not IPv6 rules", nameof(ipv6));
        _ipv4 = ipv4;
        _ipv6 = ipv6;
        Connections = connections;
        _host = host;
        _log = log ?? NoPacketLog.Instance;
        _reassembler = new Reassembler(reassembly);
        _answers = answers;
    }

    /// <summary>The connections.</summary>
    public ConnectionTable Connections { get; }

    /// <summary>What this worker has seen.</summary>
    public WorkerStatistics Statistics { get; } = new();

    /// <summary>The time of the latest packet, nanoseconds since the Unix epoch.</summary>
    public long Now => _now;

    /// <summary>The rules that the next packet meets, unless a change waits.</summary>
    public ActiveRuleset Rules(IpFamily family) => family == IpFamily.IPv4 ? Volatile.Read(ref _ipv4) : Volatile.Read(ref _ipv6);

    /// <summary>
    /// Has the worker change to other rules before its next packet: each packet meets one ruleset entirely. May be called from any thread;
    /// of several changes that wait only the last is made.
    /// </summary>
    public void Change(RulesetChange change) => Volatile.Write(ref _change, change);

    /// <summary>Takes one frame to its verdict.</summary>
    public PacketOutcome Process(in PacketInput input)
    {
        if (_change is not null) MakeChange();
        _now = Math.Max(_now, input.Time);
        var outcome = default(PacketOutcome);
        Decode(in input, ref outcome);
        Statistics.Count(in outcome);
        if (--_untilSweep == 0)
        {
            Connections.Sweep(_now, SweepBudget);
            _untilSweep = SweepEvery;
        }
        return outcome;
    }

    /// <summary>What is due while no packet comes: a change of rules, and removing entries whose time is over.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <param name="budget">Entries to look at.</param>
    public void Idle(long now, int budget)
    {
        if (_change is not null) MakeChange();
        _now = Math.Max(_now, now);
        Connections.Sweep(_now, budget);
    }

    private void MakeChange()
    {
        var change = Interlocked.Exchange(ref _change, null)!;
        Volatile.Write(ref _ipv4, change.Next(_ipv4));
        Volatile.Write(ref _ipv6, change.Next(_ipv6));
        change.NoteMade();
    }

    private void Decode(in PacketInput input, ref PacketOutcome outcome)
    {
        outcome.Fate = PacketFate.NotIp;
        if (!LinkLayer.TryDecode(input.Link, input.Frame, out var link)) return;
        if (input.SourceMac is { } mac) (link.HasSourceMac, link.SourceMac) = (true, mac);
        if (input.InterfaceMac is { } interfaceMac) (link.HasInterfaceMac, link.InterfaceMac) = (true, interfaceMac);
        var packet = input.Frame[link.NetworkOffset..];
        var result = PacketDecoder.Decode(packet, input.WireLength - link.NetworkOffset, out var headers);
        if (result == DecodeResult.NotIp) return;
        outcome.Fate = PacketFate.BadHeader;
        if (result != DecodeResult.Ok) return;

        outcome.Family = headers.Family;
        var way = input.Way ?? _host.WayOf(in headers, link.PacketType);
        if (!Reassembler.Concerns(in headers))
        {
            Run(in input, in link, packet, ref headers, way, ref outcome);
            return;
        }
        var scope = new FragmentScope(0, way is PacketWay.Output or PacketWay.Loopback, 0);
        switch (_reassembler.Add(in headers, packet, _now, in scope, out var whole))
        {
            case FragmentResult.Held:
                outcome.Fate = PacketFate.FragmentHeld;
                break;
            case FragmentResult.Dropped:
                outcome.Fate = PacketFate.FragmentDropped;
                break;
            case FragmentResult.Untouched:
                Run(in input, in link, packet, ref headers, way, ref outcome);
                break;
            case FragmentResult.Whole:
                using (whole)
                {
                    if (PacketDecoder.Decode(whole.Span, whole.WireLength, out headers) == DecodeResult.Ok)
                        Run(in input, in link, whole.Span, ref headers, way, ref outcome);
                }
                break;
        }
    }

    private void Run(in PacketInput input, in LinkHeader link, ReadOnlySpan<byte> packet, ref PacketHeaders headers, PacketWay way,
        ref PacketOutcome outcome)
    {
        var rules = headers.Family == IpFamily.IPv4 ? _ipv4 : _ipv6;
        if (input.IsRouted && way == PacketWay.Forward && headers.Ttl < byte.MaxValue) headers.Ttl++; // PREROUTING sees what came
        var context = new PacketContext
        {
            Headers = ref headers,
            Packet = packet.Length > headers.TotalLength ? packet[..headers.TotalLength] : packet,
            Link = ref link,
            Track = new TrackResult { Connection = -1 },
            Connections = Connections,
            AddressTypes = _host,
            Log = _log,
            Mark = input.Mark,
            Now = _now,
        };
        var tos = headers.Tos;
        outcome.Fate = PacketFate.Accepted;
        var accepted = way switch
        {
            PacketWay.Input => ComeIn(rules, ref context, input.In, ref outcome) && Deliver(rules, ref context, ref outcome),
            PacketWay.Forward => ComeIn(rules, ref context, input.In, ref outcome)
                && Forward(rules, ref context, input.Out, ref outcome),
            PacketWay.Output => SendOut(rules, ref context, input.Out, ref outcome),
            _ => LoopBack(rules, ref context, ref outcome),
        };
        (outcome.Mark, outcome.Tos, outcome.IsTosChanged) = (context.Mark, headers.Tos, headers.Tos != tos);
        if (outcome.Fate == PacketFate.Rejected && _answers is not null && outcome.Decision.Reject is { } reject)
            _answers.Write(reject.Type, in context, input.ChecksumIsTrusted);
        // Where something stopped the packet on its way. (What has been confirmed is kept.)
        if (!accepted) Connections.Discard(ref context.Track);
    }

    /// <summary>Hook PREROUTING.</summary>
    private bool ComeIn(ActiveRuleset rules, ref PacketContext context, InterfaceName from, ref PacketOutcome outcome)
    {
        (context.In, context.Out) = (from, default);
        return Ask(rules, TableId.Raw, Hook.PreRouting, ref context, ref outcome)
            && Track(ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PreRouting, ref context, ref outcome);
    }

    /// <summary>Hook INPUT.</summary>
    private bool Deliver(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
        => Ask(rules, TableId.Mangle, Hook.Input, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Input, ref context, ref outcome)
            && Confirm(ref context, ref outcome);

    /// <summary>Hooks FORWARD and POSTROUTING.</summary>
    private bool Forward(ActiveRuleset rules, ref PacketContext context, InterfaceName to, ref PacketOutcome outcome)
    {
        context.Out = to;
        // The router takes one away before its rules see the packet (ip_forward, ip6_forward).
        if (context.Headers.Ttl > 0) context.Headers.Ttl--;
        return Ask(rules, TableId.Mangle, Hook.Forward, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Forward, ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PostRouting, ref context, ref outcome)
            && Confirm(ref context, ref outcome);
    }

    /// <summary>Hooks OUTPUT and POSTROUTING.</summary>
    private bool SendOut(ActiveRuleset rules, ref PacketContext context, InterfaceName to, ref PacketOutcome outcome)
    {
        (context.In, context.Out) = (default, to);
        return Ask(rules, TableId.Raw, Hook.Output, ref context, ref outcome)
            && Track(ref context, ref outcome)
            && RelateOwnError(ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.Output, ref context, ref outcome)
            && Ask(rules, TableId.Filter, Hook.Output, ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PostRouting, ref context, ref outcome)
            && Confirm(ref context, ref outcome);
    }

    /// <summary>
    /// Out and in again. The packet keeps its connection over the loopback interface: coming in, it is not tracked a second time and
    /// CT rules do not touch it (nf_conntrack_in, xt_ct_target). An INVALID one has no connection, and is tracked afresh.
    /// </summary>
    private bool LoopBack(ActiveRuleset rules, ref PacketContext context, ref PacketOutcome outcome)
    {
        if (!SendOut(rules, ref context, Loopback, ref outcome)) return false;
        context.Template = default;
        if (context.Track.State == ConntrackState.Invalid)
        {
            context.Track = new TrackResult { Connection = -1 };
            return ComeIn(rules, ref context, Loopback, ref outcome) && Deliver(rules, ref context, ref outcome);
        }
        context.Template.IsSet = true;
        (context.In, context.Out) = (Loopback, default);
        return Ask(rules, TableId.Raw, Hook.PreRouting, ref context, ref outcome)
            && Ask(rules, TableId.Mangle, Hook.PreRouting, ref context, ref outcome)
            && Deliver(rules, ref context, ref outcome);
    }

    private static bool Ask(ActiveRuleset rules, TableId table, Hook hook, ref PacketContext context, ref PacketOutcome outcome)
    {
        context.Hook = hook;
        var decision = rules.Rules.Evaluate(table, hook, ref context, rules.Counters);
        var accepted = decision.Verdict == Verdict.Accept;
        if (accepted && table != TableId.Filter) return true;
        outcome.Table = table;
        outcome.Hook = hook;
        outcome.Decision = decision;
        if (!accepted) outcome.Fate = decision.Verdict == Verdict.Reject ? PacketFate.Rejected : PacketFate.Dropped;
        return accepted;
    }

    private bool Track(ref PacketContext context, ref PacketOutcome outcome)
    {
        // Rules behind the one with the zone may have marked the packet since.
        if (context.Template.ZoneIsMark) context.Template.Zone = (ushort)context.Mark;
        context.Track = Connections.Track(in context.Headers, context.Packet, in context.Template, _now);
        outcome.State = context.Track.State;
        outcome.Direction = context.Track.Direction;
        outcome.Failure = context.Track.Failure;
        if (!context.Track.Drop) return true;
        outcome.Fate = PacketFate.TrackingDropped;
        return false;
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
        if (Connections.Confirm(ref context.Track, in context.Headers, context.Packet, _now)) return true;
        outcome.Fate = PacketFate.TrackingDropped;
        outcome.Failure = context.Track.Failure;
        return false;
    }
}
