using FwCluster.Conntrack.Generic;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Icmp;
using FwCluster.Conntrack.Sctp;
using FwCluster.Conntrack.Table;
using FwCluster.Conntrack.Tcp;
using FwCluster.Conntrack.Udp;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>
/// The connections of one owner and what decides over them: <see cref="Track"/> is the kernel's <c>nf_conntrack_in</c>,
/// <see cref="Confirm"/> its <c>nf_confirm</c>. No clock, thread or lock: the caller is the single writer and brings the time.
/// Neither allocates, but for what a helper remembers of a control connection and a slab of entries now and then.
/// </summary>
public sealed partial class ConnectionTable : IExpectationSink
{
    private readonly ConnectionStore _store;
    private readonly ExpectationTable _expectations;
    private TcpTracker _tcp;
    private UdpTracker _udp;
    private SctpTracker _sctp;
    private IcmpTracker _icmp;
    private GenericTracker _generic;
    private readonly Dictionary<uint, byte> _helperByPort = [];
    private readonly bool[] _isLoaded;

    /// <summary>Makes an empty table.</summary>
    /// <param name="settings">Limits and timeouts.</param>
    /// <param name="helpers">Helpers that may attach, at most 255.</param>
    /// <exception cref="ArgumentException">A limit in <paramref name="settings"/> is out of range, or there are too many helpers.</exception>
    public ConnectionTable(ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers)
        : this(settings, helpers, TupleHash.Random())
    {
    }

    /// <summary>Makes an empty table with a given hash.</summary>
    /// <inheritdoc cref="ConnectionTable(ConntrackSettings, IReadOnlyList{ConnectionHelper})"/>
    /// <param name="settings">Limits and timeouts.</param>
    /// <param name="helpers">Helpers that may attach, at most 255.</param>
    /// <param name="hash">The hash that places entries.</param>
    public ConnectionTable(ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers, TupleHash hash)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(helpers);
        if (settings.MaxEntries is < 1 or > 1 << 28)
            throw new ArgumentException($"MaxEntries is {settings.MaxEntries}; it must be 1 to {1 << 28}", nameof(settings));
        if (helpers.Count > byte.MaxValue)
            throw new ArgumentException($"{helpers.Count} helpers; a table takes at most {byte.MaxValue}", nameof(helpers));
        Settings = settings;
        Helpers = helpers;
        _store = new ConnectionStore(settings.MaxEntries, hash);
        _expectations = new ExpectationTable(settings);
        _tcp = new TcpTracker(settings);
        _udp = new UdpTracker(settings);
        _sctp = new SctpTracker(settings);
        _icmp = new IcmpTracker(settings);
        _generic = new GenericTracker(settings);
        _isLoaded = [.. helpers.Select(_ => true)];
        for (var i = 0; i < helpers.Count; i++)
            foreach (var port in helpers[i].Ports)
                _helperByPort.TryAdd((uint)helpers[i].Protocol << 16 | port, (byte)(i + 1));
    }

    /// <summary>Limits and timeouts.</summary>
    public ConntrackSettings Settings { get; private set; }

    /// <summary>The helpers that may attach.</summary>
    public IReadOnlyList<ConnectionHelper> Helpers { get; }

    /// <summary>What was counted so far.</summary>
    public ConntrackStatistics Statistics { get; } = new();

    /// <summary>Entries in the table, those included whose time is over and that nobody has met since.</summary>
    public int Count => _store.Linked;

    /// <summary>The entry with this index. Valid until the entry is removed.</summary>
    public ref Connection this[int index] => ref _store[index];

    /// <summary>
    /// Tells the state of a packet and moves its connection on. A packet that begins a connection gets an entry that is not in the
    /// table yet; the caller must <see cref="Confirm"/> or <see cref="Discard"/> every packet.
    /// </summary>
    /// <param name="headers">The headers of a whole packet: fragments are put together before.</param>
    /// <param name="packet">Its bytes from the IP header on, as many as were captured.</param>
    /// <param name="template">What the raw table said.</param>
    /// <param name="now">Nanoseconds since the Unix epoch; never less than in the call before.</param>
    public TrackResult Track(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now)
    {
        TrackHere(headers, packet, template, now, begins: true, out var result);
        return result;
    }

    /// <summary>
    /// The same for a table that has but some of the connections, those that their owner has granted it: a packet of a connection that is
    /// not here is the owner's to tell.
    /// </summary>
    /// <inheritdoc cref="Track(in PacketHeaders, ReadOnlySpan{byte}, in ConnectionTemplate, long)"/>
    /// <param name="headers">The headers of a whole packet: fragments are put together before.</param>
    /// <param name="packet">Its bytes from the IP header on, as many as were captured.</param>
    /// <param name="template">What the raw table said.</param>
    /// <param name="now">Nanoseconds since the Unix epoch; never less than in the call before.</param>
    /// <param name="result">What tracking says, where this table can tell; to be confirmed or discarded as ever.</param>
    /// <returns>False where the packet's connection, or the one whose packet an ICMP error quotes, is not in this table.</returns>
    public bool TryTrack(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now, out TrackResult result)
        => TrackHere(headers, packet, template, now, begins: false, out result);

    private bool TrackHere(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now, bool begins, out TrackResult result)
    {
        result = new TrackResult { Connection = -1 };
        if (template.NoTrack)
        {
            result.State = ConntrackState.Untracked;
            return true;
        }
        if (headers.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6
            && TrackIcmpError(headers, packet, template, now, ref result))
        {
            if (!begins && result.Failure == TrackFailure.IcmpUnknownQuote) return false;
            Counted(result);
            return true;
        }

        // A first fragment that reassembly passes on alone has its ports (ipv6_get_l4proto); a later one has nothing to find a tuple by.
        if (headers.FragmentOffset != 0 || IsCutBeforePorts(headers, packet))
        {
            result = Counted(Fail(result, TrackFailure.Malformed));
            return true;
        }
        var tuple = headers.Tuple;
        var bucket = _store.BucketOf(tuple);
        while (true)
        {
            var originalZone = ZoneOf(template, ZoneDirections.Original);
            var replyZone = ZoneOf(template, ZoneDirections.Reply);
            result.Connection = FindLiving(tuple, bucket, originalZone, replyZone, now, out result.Direction);
            if (result.Connection >= 0)
            {
                if (!begins && IsForOwner(in result, in headers, packet, now)) return false;
                Statistics.CountFound();
            }
            else if (!begins)
            {
                return false;
            }
            else if (!Begin(tuple, bucket, template, now, ref result))
            {
                result = Counted(result);
                return true;
            }

            ref var connection = ref _store[result.Connection];
            result.State = StateOf(connection, result.Direction);
            var before = Events is null ? default : StageOf(in connection);
            var verdict = TrackProtocol(ref connection, headers, packet, template, result.Direction, now, out result.Failure);
            if (verdict == TrackerVerdict.Accept)
            {
                if (result.Direction == Direction.Reply) connection.Status |= ConnectionStatus.SeenReply;
                if (Events is not null) TellUpdate(result.Connection, before);
                return true;
            }
            if (verdict == TrackerVerdict.AcceptAndRemove)
            {
                Unlink(result.Connection); // the slot is given back when the rules have looked at it
                return true;
            }
            if (result.IsUnconfirmed) _store.Free(result.Connection);
            if (verdict == TrackerVerdict.Invalid)
            {
                result = Counted(Fail(result, result.Failure));
                return true;
            }
            Remove(result.Connection); // Repeat: a SYN over a closed connection
            result = new TrackResult { Connection = -1 };
        }
    }

    /// <summary>
    /// The rules accepted the packet: its helper reads it, and a new entry goes into the table (<c>nf_confirm</c>). Harmless for a
    /// packet without a connection.
    /// </summary>
    /// <returns>False where the packet must be dropped after all: <see cref="TrackResult.Failure"/> says why.</returns>
    public bool Confirm(ref TrackResult result, in PacketHeaders headers, ReadOnlySpan<byte> packet, long now)
    {
        if (result.Connection < 0) return true;
        ref var connection = ref _store[result.Connection];
        if (connection.Helper != 0 && !result.IsOwners && !Help(ref connection, ref result, headers, packet, now))
        {
            Release(ref result);
            result.Failure = TrackFailure.Helper;
            Statistics.Count(TrackFailure.Helper);
            return false;
        }
        if (!result.IsUnconfirmed)
        {
            Release(ref result);
            return true;
        }

        if (IsTaken(connection, now))
        {
            Release(ref result);
            result.Failure = TrackFailure.Clash;
            Statistics.Count(TrackFailure.Clash);
            return false;
        }
        connection.Status |= ConnectionStatus.Confirmed;
        connection.Expires += now;
        connection.Started = now;
        _store.Link(result.Connection);
        result.IsUnconfirmed = false;
        Statistics.CountInserted();
        Events?.Began(result.Connection, in connection);
        return true;
    }

    /// <summary>The rules did not accept the packet: an entry that it would have begun is forgotten.</summary>
    public void Discard(ref TrackResult result) => Release(ref result);

    /// <summary>Finds the entry that a packet with this tuple and template belongs to, whichever its direction.</summary>
    /// <returns>The index, or -1.</returns>
    public int Find(in FlowTuple tuple, in ConnectionTemplate template, long now, out Direction direction)
        => FindLiving(tuple, _store.BucketOf(tuple), ZoneOf(template, ZoneDirections.Original), ZoneOf(template, ZoneDirections.Reply), now,
            out direction);

    /// <summary>Finds the entry of a tuple, whichever its direction.</summary>
    /// <returns>The index, or -1.</returns>
    public int Find(in FlowTuple tuple, ushort zone, long now, out Direction direction)
        => FindLiving(tuple, _store.BucketOf(tuple), zone, zone, now, out direction);

    /// <summary>Removes an entry, its expectations with it.</summary>
    public void Remove(int index)
    {
        Unlink(index);
        _store.Free(index);
    }

    /// <summary>This host has reset a TCP connection (<c>-j REJECT --reject-with tcp-reset</c>): its entry goes to CLOSE, as for an RST that
    /// came by (<c>nf_conntrack_tcp_set_closing</c>). Does nothing for other protocols, and for an entry that is not confirmed.</summary>
    /// <param name="index">The entry.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void SetClosing(int index, long now)
    {
        ref var connection = ref _store[index];
        if (connection.Original.Protocol == IpProtocol.Tcp && connection.IsConfirmed) _tcp.SetClosing(ref connection, now);
    }

    /// <summary>Indices of the entries that live at <paramref name="now"/>. The table must not change meanwhile.</summary>
    public IEnumerable<int> Connections(long now)
    {
        for (var index = 0; index < _store.Capacity; index++)
            if (IsInTable(_store[index]) && _store[index].Expires > now)
                yield return index;
    }

    /// <summary>The expectations that live at <paramref name="now"/>, in the order they were noted.</summary>
    public IEnumerable<Expectation> Expectations(long now)
        => _expectations.All.Where(e => e.Expires > now).OrderBy(e => e.Expires);

    /// <inheritdoc/>
    public bool Expect(Expectation expectation, ConnectionHelper helper, long now)
    {
        if (!_expectations.Add(expectation, helper, now)) return false;
        Statistics.CountExpectation();
        Expecting?.Invoke(expectation);
        Events?.Expected(expectation, in _store[expectation.Master]);
        return true;
    }

    private static ConntrackState StateOf(in Connection connection, Direction direction)
        => direction == Direction.Reply || (connection.Status & ConnectionStatus.SeenReply) != 0 ? ConntrackState.Established
            : (connection.Status & ConnectionStatus.Expected) != 0 ? ConntrackState.Related
            : ConntrackState.New;

    private TrackerVerdict TrackProtocol(ref Connection connection, in PacketHeaders headers, ReadOnlySpan<byte> packet,
        in ConnectionTemplate template, Direction direction, long now, out TrackFailure failure)
    {
        failure = TrackFailure.None;
        if (ChecksumIsWrong(headers, packet, template))
        {
            failure = TrackFailure.Checksum;
            return TrackerVerdict.Invalid;
        }
        switch (headers.Protocol)
        {
            case IpProtocol.Tcp: return _tcp.Track(ref connection, headers, packet, direction, now, out failure);
            case IpProtocol.Udp or IpProtocol.UdpLite: return _udp.Track(ref connection, headers, direction, now, out failure);
            case IpProtocol.Sctp: return _sctp.Track(ref connection, headers, packet, direction, now, out failure);
            case IpProtocol.Icmp or IpProtocol.IcmpV6: return _icmp.Track(ref connection, headers, direction, now, out failure);
            default:
                if (headers.Transport != TransportHeader.Malformed)
                    return _generic.Track(ref connection, headers, direction, now);
                failure = TrackFailure.Malformed;
                return TrackerVerdict.Invalid;
        }
    }

    private bool ChecksumIsWrong(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template) => template.Checksum switch
    {
        ChecksumCheck.Wrong => true,
        ChecksumCheck.Right => false,
        _ => Settings.VerifyChecksums && !Checksum.TransportIsValid(headers, packet),
    };

    /// <summary>Without ports there is no tuple to look for (<c>nf_ct_get_tuple_ports</c>): zeroes must not meet an expectation.</summary>
    private static bool IsCutBeforePorts(in PacketHeaders headers, ReadOnlySpan<byte> packet)
    {
        const int ports = 4;
        return headers.Transport == TransportHeader.Malformed
            && Math.Min(packet.Length, headers.TotalLength) - headers.TransportOffset < ports;
    }

    /// <summary>True where another entry has the tuple of either direction in the zone that counts there: one that another packet has begun
    /// since, where packets are held, or one that differs in the other direction's zone alone.</summary>
    private bool IsTaken(in Connection connection, long now)
    {
        var bucket = _store.BucketOf(connection.Original);
        var originalZone = ConnectionStore.ZoneOf(connection, Direction.Original);
        var replyZone = ConnectionStore.ZoneOf(connection, Direction.Reply);
        return FindLiving(connection.Original, bucket, originalZone, replyZone, now, out _) >= 0
            || FindLiving(connection.Reply, bucket, originalZone, replyZone, now, out _) >= 0;
    }

    private bool Help(ref Connection connection, ref TrackResult result, in PacketHeaders headers, ReadOnlySpan<byte> packet, long now)
    {
        var helper = Helpers[connection.Helper - 1];
        if (helper.Protocol != headers.Protocol) return true; // an ICMP error about the connection
        var call = CallFor(ref connection, in result, in headers, packet, now);
        return helper.Help(ref call);
    }

    private HelperCall CallFor(ref Connection connection, in TrackResult result, ref readonly PacketHeaders headers, ReadOnlySpan<byte> packet, long now) => new()
    {
        Headers = ref headers,
        Packet = packet,
        Direction = result.Direction,
        PacketState = result.State,
        Connection = ref connection,
        ConnectionIndex = result.Connection,
        State = ref _expectations.HelperState(result.Connection),
        Now = now,
        Expectations = this,
    };

    private static TrackResult Fail(TrackResult result, TrackFailure failure) => new()
    {
        Connection = -1,
        State = result.Drop ? ConntrackState.None : ConntrackState.Invalid,
        Drop = result.Drop,
        Failure = failure,
    };

    private TrackResult Counted(TrackResult result)
    {
        if (result.Failure != TrackFailure.None) Statistics.Count(result.Failure);
        return result;
    }

    private static ushort ZoneOf(in ConnectionTemplate template, ZoneDirections direction)
        => (template.ZoneDirections & direction) != 0 ? template.Zone : (ushort)0;
}
