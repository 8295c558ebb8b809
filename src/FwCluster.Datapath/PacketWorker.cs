using FwCluster.Conntrack;
using FwCluster.Datapath.Held;
using FwCluster.Datapath.Reject;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Packets.Fragments;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>
/// The way of a packet, from a port to its verdict. One worker, one thread. Its connections are all there are, or, with a way to shards that others
/// run, those that the shards have granted it: the flow cache.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item>Decode the link layer, then the IP packet.</item>
/// <item>Put fragments together: what follows sees whole packets only.</item>
/// <item>Tell the packet's way by the host's addresses: INPUT, OUTPUT, FORWARD, or both over the loopback interface.</item>
/// <item>Run the hooks on that way in the kernel's order (<c>enum nf_ip_hook_priorities</c>), tracking between raw and mangle.</item>
/// <item>Confirm the connection that the packet began, or discard it.</item>
/// </list>
/// A packet whose connection is a shard's to tell is held after the raw table: its rules are tried for each state that it might have, the shard is
/// asked, and with the answer the packet goes on from there, now counted.
/// Processing a packet does not allocate, but for fragments and for what tracking says it allocates.
/// <code>
///              raw  track  mangle          mangle  filter
/// in  ->  PREROUTING ----------->  to us?  INPUT ----------------------> confirm
///                                  else    FORWARD ---> POSTROUTING ---> confirm
/// out ->  OUTPUT (raw track mangle filter) ----------> POSTROUTING ---> confirm
/// </code>
/// </remarks>
public sealed partial class PacketWorker
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
    /// <param name="shards">The way to the shards; null where <paramref name="connections"/> are all there are.</param>
    public PacketWorker(ActiveRuleset ipv4, ActiveRuleset ipv6, ConnectionTable connections, HostAddresses host,
        IPacketLog? log = null, ReassemblyOptions? reassembly = null, RejectAnswers? answers = null, ShardAccess? shards = null)
    {
        ArgumentNullException.ThrowIfNull(connections);
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
        if (shards is null) return;
        _link = shards.Link;
        _verdicts = shards.Verdicts;
        _directory = shards.Directory;
        _patience = (long)shards.Patience.TotalNanoseconds;
        _held = new HeldPackets(shards.MaxHeld);
        connections.Removing = ReportEnd;
    }

    /// <summary>The connections: all, or those that this worker holds.</summary>
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

    /// <summary>Takes one frame to its verdict, or holds it: <see cref="PacketFate.Held"/>.</summary>
    public PacketOutcome Process(in PacketInput input)
    {
        if (_change is not null && HeldCount == 0) MakeChange();
        _now = Math.Max(_now, input.Time);
        var outcome = default(PacketOutcome);
        Decode(in input, ref outcome);
        if (outcome.Fate != PacketFate.Held) Statistics.Count(in outcome);
        if (--_untilSweep == 0)
        {
            Sweep(SweepBudget);
            _untilSweep = SweepEvery;
        }
        return outcome;
    }

    /// <summary>What is due while no packet comes: a change of rules, and removing entries whose time is over.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <param name="budget">Entries to look at.</param>
    public void Idle(long now, int budget)
    {
        _now = Math.Max(_now, now);
        if (_link is not null) Advance(now);
        if (_change is not null && HeldCount == 0) MakeChange();
        Sweep(budget);
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
        var context = Context(ref headers, packet, in link, in input);
        var tos = headers.Tos;
        outcome.Fate = PacketFate.Accepted;
        var route = PacketRoute.Of(way, input.In, input.Out, Loopback);
        var goesOn = AskRaw(rules, in route, ref context, ref outcome);
        if (goesOn && !Track(ref context, ref outcome))
        {
            Hold(in input, in link, in route, tos, ref context, ref outcome);
            return;
        }
        goesOn = goesOn && !context.Track.Drop && AskOthers(rules, in route, ref context, ref outcome);
        (outcome.Mark, outcome.Tos, outcome.IsTosChanged) = (context.Mark, headers.Tos, headers.Tos != tos);
        Finish(goesOn, input.ChecksumIsTrusted, ref context, ref outcome);
    }

    private PacketContext Context(ref PacketHeaders headers, ReadOnlySpan<byte> packet, ref readonly LinkHeader link, in PacketInput input) => new()
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
        In = input.In,
        Out = input.Out,
    };

    private void Finish(bool isAccepted, bool checksumIsTrusted, ref PacketContext context, ref PacketOutcome outcome)
    {
        if (outcome.Fate == PacketFate.Rejected && _answers is not null && outcome.Decision.Reject is { } reject)
            _answers.Write(reject.Type, in context, checksumIsTrusted);
        if (_link is not null && context.Track.Connection >= 0) Report(context.Track.Connection);
        // Where something stopped the packet on its way. (What has been confirmed is kept.)
        if (!isAccepted) Connections.Discard(ref context.Track);
    }
}
