using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Held;

/// <summary>A packet that waits for its shard's answer: a copy of it, and how far it has come. Used again for other packets.</summary>
internal sealed class HeldPacket
{
    private byte[] _frame = new byte[2048];
    private LinkType _linkType;
    private int _length;
    private int _networkOffset;
    private int _wireLength;
    private long _time;
    private uint _markItCameWith;
    private bool _isRouted;
    private bool _checksumIsTrusted;
    private InterfaceName _in;
    private InterfaceName _out;
    private PacketTicket _ticket;

    /// <summary>What the link layer said.</summary>
    public LinkHeader Link;

    /// <summary>The template that the raw table has made.</summary>
    public ConnectionTemplate Template;

    /// <summary>The packet's mark behind the raw table.</summary>
    public uint Mark;

    /// <summary>Its type of service behind the raw table.</summary>
    public byte Tos;

    /// <summary>The type of service it came with.</summary>
    public byte TosItCameWith { get; private set; }

    /// <summary>The way it takes.</summary>
    public PacketRoute Route { get; private set; }

    /// <summary>The connection it waits for.</summary>
    public FlowKey Key { get; set; }

    /// <summary>The tuple that was asked for.</summary>
    public FlowTuple Tuple { get; set; }

    /// <summary>The number of its question; 0 while it waits behind another packet.</summary>
    public uint Question { get; set; }

    /// <summary>When it began to wait, nanoseconds since the Unix epoch.</summary>
    public long Since { get; set; }

    /// <summary>It passes when its shard has confirmed it: its helper reads it there.</summary>
    public bool WaitsForConfirmation { get; set; }

    /// <summary>What became of it, where it only <see cref="WaitsForConfirmation"/>.</summary>
    public PacketOutcome Outcome;

    /// <summary>The next packet of its connection, or of the free ones.</summary>
    public HeldPacket? Next { get; set; }

    /// <summary>Of the first packet of a connection: the last one.</summary>
    public HeldPacket Last { get; set; } = null!;

    /// <summary>The packet from its IP header on.</summary>
    public Span<byte> Packet => _frame.AsSpan(_networkOffset, _length - _networkOffset);

    /// <summary>The packet's length on the wire, from its IP header on.</summary>
    public int WireLength => _wireLength - _networkOffset;

    /// <summary>The packet as the port gave it.</summary>
    public PacketInput Input => new()
    {
        Link = _linkType,
        Frame = _frame.AsSpan(0, _length),
        WireLength = _wireLength,
        Time = _time,
        In = _in,
        Out = _out,
        Way = Route.Way,
        Mark = _markItCameWith,
        ChecksumIsTrusted = _checksumIsTrusted,
        SourceMac = Link.HasSourceMac ? Link.SourceMac : null,
        IsRouted = _isRouted,
        Ticket = _ticket,
    };

    /// <summary>Copies a packet.</summary>
    /// <param name="input">The packet as the port gave it.</param>
    /// <param name="link">What its link layer said.</param>
    /// <param name="packet">Its bytes from the IP header on; another packet than the input's where it was put together from fragments.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="route">Its way.</param>
    /// <param name="tos">The type of service it came with.</param>
    public void Copy(in PacketInput input, in LinkHeader link, ReadOnlySpan<byte> packet, in PacketHeaders headers, PacketRoute route, byte tos)
    {
        var isTheInputs = link.NetworkOffset <= input.Frame.Length && input.Frame[link.NetworkOffset..].Overlaps(packet);
        var bytes = isTheInputs ? input.Frame : packet;
        if (_frame.Length < bytes.Length) _frame = new byte[bytes.Length];
        bytes.CopyTo(_frame);
        _length = bytes.Length;
        (_linkType, _networkOffset) = isTheInputs ? (input.Link, link.NetworkOffset) : (LinkType.Raw, 0);
        _wireLength = isTheInputs ? input.WireLength : headers.TotalLength;
        (_time, _markItCameWith, _isRouted, _ticket) = (input.Time, input.Mark, input.IsRouted, input.Ticket);
        (Link, Route, TosItCameWith, _in, _out, _checksumIsTrusted) = (link, route, tos, input.In, input.Out, input.ChecksumIsTrusted);
        (Question, WaitsForConfirmation, Next, Last, Outcome) = (0, false, null, this, default);
    }

    /// <summary>Decodes the packet again, as the worker saw it behind the raw table.</summary>
    public bool TryDecode(out PacketHeaders headers)
    {
        if (PacketDecoder.Decode(Packet, WireLength, out headers) != DecodeResult.Ok) return false;
        if (_isRouted && Route.Way == PacketWay.Forward && headers.Ttl < byte.MaxValue) headers.Ttl++;
        headers.Tos = Tos;
        return true;
    }
}
