using System.Globalization;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m tcp</c>: ports, flags and one option (<c>tcp_mt</c> in xt_tcpudp.c).</summary>
public sealed class TcpMatch : Match
{
    /// <summary>Source ports.</summary>
    public PortRange Source { get; init; } = PortRange.Any;

    /// <summary>Destination ports.</summary>
    public PortRange Destination { get; init; } = PortRange.Any;

    /// <summary>Flags looked at.</summary>
    public TcpFlags FlagMask { get; init; }

    /// <summary>Those of them that must be set.</summary>
    public TcpFlags FlagValue { get; init; }

    /// <summary>True for <c>! --tcp-flags</c> and <c>! --syn</c>.</summary>
    public bool AreFlagsInverted { get; init; }

    /// <summary>Kind of the TCP option that must be there; 0 for none.</summary>
    public byte Option { get; init; }

    /// <summary>True for <c>! --tcp-option</c>.</summary>
    public bool IsOptionInverted { get; init; }

    /// <inheritdoc/>
    public override string Name => "tcp";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        ref readonly var headers = ref packet.Headers;
        if (headers.FragmentOffset != 0)
        {
            // A fragment that begins 8 bytes into the header can only want to overwrite its flags.
            if (headers.FragmentOffset == 8) hotDrop = true;
            return false;
        }
        var fixedEnd = headers.TransportOffset + TcpHeader.FixedLength;
        if (Math.Min(packet.Packet.Length, headers.TotalLength) < fixedEnd)
        {
            hotDrop = true;
            return false;
        }
        if (!Source.Contains(headers.SourcePort) || !Destination.Contains(headers.DestinationPort)) return false;
        // The kernel compares the flag byte itself, also where the header is malformed elsewhere.
        var flags = (TcpFlags)packet.Packet[headers.TransportOffset + TcpHeader.FlagsOffset];
        if (((flags & FlagMask) == FlagValue) == AreFlagsInverted) return false;
        return Option == 0 || MatchesOption(in packet, ref hotDrop);
    }

    private bool MatchesOption(in PacketContext packet, ref bool hotDrop)
    {
        var start = packet.Headers.TransportOffset;
        var length = TcpHeader.Length(packet.Packet[start..]);
        var end = start + length;
        if (length < TcpHeader.FixedLength || Math.Min(packet.Packet.Length, packet.Headers.TotalLength) < end)
        {
            hotDrop = true;
            return false;
        }
        var options = packet.Packet[(start + TcpHeader.FixedLength)..end];
        return TcpOptions.Contains(options, Option) != IsOptionInverted;
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints)
    {
        Source.Constrain(constraints, PacketField.SourcePort);
        Destination.Constrain(constraints, PacketField.DestinationPort);
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        Source.Write(writer, "--sport");
        Destination.Write(writer, "--dport");
        if (Option != 0 || IsOptionInverted) writer.Option("--tcp-option", IsOptionInverted).Number(Option);
        if (FlagMask != 0 || AreFlagsInverted)
        {
            writer.Option("--tcp-flags", AreFlagsInverted)
                .Word(TcpMatchExtension.FlagNames(FlagMask)).Word(TcpMatchExtension.FlagNames(FlagValue));
        }
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words("tcp");
        Source.List(writer, "spt");
        Destination.List(writer, "dpt");
        if (Option != 0 || IsOptionInverted)
            writer.Words(string.Create(CultureInfo.InvariantCulture, $"option={(IsOptionInverted ? "!" : "")}{Option}"));
        if (FlagMask != 0 || AreFlagsInverted)
        {
            writer.Words(string.Create(CultureInfo.InvariantCulture,
                $"flags:{(AreFlagsInverted ? "!" : "")}0x{(byte)FlagMask:X2}/0x{(byte)FlagValue:X2}"));
        }
    }
}
