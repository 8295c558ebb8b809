using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m conntrack</c>: what tracking knows of the packet's connection (<c>conntrack_mt</c> in xt_conntrack.c). A packet without a
/// connection matches where its state is asked for and fits, whatever else is asked.</summary>
public sealed class ConntrackMatch : Match
{
    // A template has no addresses, and these status bits: IPS_CONFIRMED and IPS_TEMPLATE.
    private const ConnectionStatus TemplateStatus = ConnectionStatus.Confirmed | (ConnectionStatus)(1 << 11);
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Whose addresses these are.</summary>
    public required IpFamily Family { get; init; }

    /// <summary><c>--ctstate</c>, or null.</summary>
    public Invertible<StateSet>? States { get; init; }

    /// <summary><c>--ctproto</c>, or null.</summary>
    public Invertible<byte>? Protocol { get; init; }

    /// <summary><c>--ctorigsrc</c>, or null.</summary>
    public Invertible<MaskedAddress>? OriginalSource { get; init; }

    /// <summary><c>--ctorigdst</c>, or null.</summary>
    public Invertible<MaskedAddress>? OriginalDestination { get; init; }

    /// <summary><c>--ctreplsrc</c>, or null.</summary>
    public Invertible<MaskedAddress>? ReplySource { get; init; }

    /// <summary><c>--ctrepldst</c>, or null.</summary>
    public Invertible<MaskedAddress>? ReplyDestination { get; init; }

    /// <summary><c>--ctorigsrcport</c>, or null.</summary>
    public PortRange? OriginalSourcePort { get; init; }

    /// <summary><c>--ctorigdstport</c>, or null.</summary>
    public PortRange? OriginalDestinationPort { get; init; }

    /// <summary><c>--ctreplsrcport</c>, or null.</summary>
    public PortRange? ReplySourcePort { get; init; }

    /// <summary><c>--ctrepldstport</c>, or null.</summary>
    public PortRange? ReplyDestinationPort { get; init; }

    /// <summary><c>--ctstatus</c>, or null; one of the bits is enough, NONE is no bit and never matches.</summary>
    public Invertible<ConnectionStatus>? Status { get; init; }

    /// <summary><c>--ctexpire</c>, whole seconds, or null.</summary>
    public Invertible<(uint Low, uint High)>? Expires { get; init; }

    /// <summary><c>--ctdir</c>, or null.</summary>
    public Direction? Direction { get; init; }

    /// <inheritdoc/>
    public override string Name => "conntrack";

    /// <inheritdoc/>
    public override bool ReadsConnection => Protocol is not null || OriginalSource is not null || OriginalDestination is not null
        || ReplySource is not null || ReplyDestination is not null || OriginalSourcePort is not null || OriginalDestinationPort is not null
        || ReplySourcePort is not null || ReplyDestinationPort is not null || Status is not null || Expires is not null || Direction is not null;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        if (States is { } states && states.Value.Contains(PacketConnection.State(in packet)) == states.IsInverted) return false;
        switch (PacketConnection.Kind(in packet))
        {
            case PacketConnectionKind.Entry:
                ref readonly var connection = ref packet.Connection;
                return Matches(connection.Original, connection.Reply, connection.Status, packet.Track.Direction,
                    connection.IsConfirmed ? (connection.Expires - packet.Now) / NanosecondsPerSecond : 0);
            case PacketConnectionKind.Template:
                return Matches(default, default, TemplateStatus, Conntrack.Direction.Original, 0);
            default:
                return States is not null;
        }
    }

    private bool Matches(
        in FlowTuple original, in FlowTuple reply, ConnectionStatus status, Direction direction, long secondsLeft)
        => (Direction is not { } asked || asked == direction)
            && Fits(OriginalSource, original.Source)
            && Fits(OriginalDestination, original.Destination)
            && Fits(ReplySource, reply.Source)
            && Fits(ReplyDestination, reply.Destination)
            && (Protocol is not { } protocol || (protocol.Value == original.Protocol) != protocol.IsInverted)
            && (OriginalSourcePort is not { } p1 || p1.Contains(Source(original)))
            && (OriginalDestinationPort is not { } p2 || p2.Contains(original.DestinationPort))
            && (ReplySourcePort is not { } p3 || p3.Contains(Source(reply)))
            && (ReplyDestinationPort is not { } p4 || p4.Contains(reply.DestinationPort))
            && (Status is not { } s || ((s.Value & status) != 0) != s.IsInverted)
            && (Expires is not { } e || (Math.Max(secondsLeft, 0) is var left && left >= e.Value.Low && left <= e.Value.High) != e.IsInverted);

    private static ushort Source(in FlowTuple tuple) => tuple.SourcePort;

    private static bool Fits(Invertible<MaskedAddress>? pattern, IpAddress address)
        => pattern is not { } p || (address.And(p.Value.Mask) == p.Value.Address.And(p.Value.Mask)) != p.IsInverted;

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        if (States is { } states) writer.Option("ctstate", states.IsInverted).Words(states.Value.Names);
        if (Protocol is { } protocol) writer.Option("ctproto", protocol.IsInverted).Number(protocol.Value);
        List(writer, "ctorigsrc", OriginalSource);
        List(writer, "ctorigdst", OriginalDestination);
        List(writer, "ctreplsrc", ReplySource);
        List(writer, "ctrepldst", ReplyDestination);
        List(writer, "ctorigsrcport", OriginalSourcePort);
        List(writer, "ctorigdstport", OriginalDestinationPort);
        List(writer, "ctreplsrcport", ReplySourcePort);
        List(writer, "ctrepldstport", ReplyDestinationPort);
        if (Status is { } status) writer.Option("ctstatus", status.IsInverted).Words(ConntrackMatchExtension.StatusNames(status.Value));
        if (Expires is { } expires)
        {
            writer.Option("ctexpire", expires.IsInverted);
            writer.Words(expires.Value.Low == expires.Value.High ? $"{expires.Value.Low}" : $"{expires.Value.Low}:{expires.Value.High}");
        }
        if (Direction is { } direction) writer.Words(direction == Conntrack.Direction.Original ? "ctdir ORIGINAL" : "ctdir REPLY");
    }

    private void List(ListingWriter writer, string option, Invertible<MaskedAddress>? pattern)
    {
        if (pattern is { } p) writer.Option(option, p.IsInverted).Words(p.Value.Listing(Family));
    }

    private static void List(ListingWriter writer, string option, PortRange? ports)
    {
        if (ports is { } p) writer.Option(option, p.IsInverted).Words(p.Low == p.High ? $"{p.Low}" : $"{p.Low}:{p.High}");
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints) => States?.Value.Constrain(constraints, States.Value.IsInverted);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        if (States is { } states) writer.Option("--ctstate", states.IsInverted).Word(states.Value.Names);
        if (Protocol is { } protocol) writer.Option("--ctproto", protocol.IsInverted).Number(protocol.Value);
        Write(writer, "--ctorigsrc", OriginalSource);
        Write(writer, "--ctorigdst", OriginalDestination);
        Write(writer, "--ctreplsrc", ReplySource);
        Write(writer, "--ctrepldst", ReplyDestination);
        OriginalSourcePort?.WriteAlways(writer, "--ctorigsrcport");
        OriginalDestinationPort?.WriteAlways(writer, "--ctorigdstport");
        ReplySourcePort?.WriteAlways(writer, "--ctreplsrcport");
        ReplyDestinationPort?.WriteAlways(writer, "--ctrepldstport");
        if (Status is { } status) writer.Option("--ctstatus", status.IsInverted).Word(ConntrackMatchExtension.StatusNames(status.Value));
        if (Expires is { } expires)
        {
            writer.Option("--ctexpire", expires.IsInverted);
            writer.Word(expires.Value.Low == expires.Value.High ? $"{expires.Value.Low}" : $"{expires.Value.Low}:{expires.Value.High}");
        }
        if (Direction is { } direction) writer.Word("--ctdir").Word(direction == Conntrack.Direction.Original ? "ORIGINAL" : "REPLY");
    }

    private void Write(RuleWriter writer, string option, Invertible<MaskedAddress>? pattern)
    {
        if (pattern is not { } p) return;
        var length = p.Value.PrefixLength(Family);
        var address = p.Value.Address.ToString(Family);
        writer.Option(option, p.IsInverted).Word(length == Family.AddressBits() ? address : $"{address}/{length}");
    }
}

/// <summary>A value that <c>!</c> may stand before.</summary>
/// <typeparam name="T">Its type.</typeparam>
/// <param name="Value">The value.</param>
/// <param name="IsInverted">True for <c>!</c>.</param>
public readonly record struct Invertible<T>(T Value, bool IsInverted);
