using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>
/// What a rule says before its extensions: addresses, interfaces, protocol, fragment (<c>ip_packet_match</c> in ip_tables.c,
/// <c>ip6_packet_match</c> in ip6_tables.c). The first match of a rule that says any of it.
/// </summary>
public sealed class IpMatch : Match
{
    /// <summary>Whose addresses these are.</summary>
    public required IpFamily Family { get; init; }

    /// <summary><c>-s</c>; a mask of zeroes for any.</summary>
    public MaskedAddress Source { get; init; }

    /// <summary>True for <c>! -s</c>.</summary>
    public bool IsSourceInverted { get; init; }

    /// <summary><c>-d</c>; a mask of zeroes for any.</summary>
    public MaskedAddress Destination { get; init; }

    /// <summary>True for <c>! -d</c>.</summary>
    public bool IsDestinationInverted { get; init; }

    /// <summary><c>-i</c>.</summary>
    public InterfacePattern In { get; init; }

    /// <summary><c>-o</c>.</summary>
    public InterfacePattern Out { get; init; }

    /// <summary><c>-p</c>; 0 for any.</summary>
    public byte Protocol { get; init; }

    /// <summary>True for <c>! -p</c>.</summary>
    public bool IsProtocolInverted { get; init; }

    /// <summary><c>-f</c>: the second and further fragments only (IPv4).</summary>
    public bool IsFragment { get; init; }

    /// <summary>True for <c>! -f</c>.</summary>
    public bool IsFragmentInverted { get; init; }

    /// <summary>True where it says nothing at all.</summary>
    public bool IsEmpty => Source == default && !IsSourceInverted && Destination == default && !IsDestinationInverted
        && In == default && Out == default && Protocol == 0 && !IsFragment;

    /// <summary>Empty: it is written without <c>-m</c>.</summary>
    public override string Name => "";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        ref readonly var headers = ref packet.Headers;
        return Source.Contains(headers.Source) != IsSourceInverted
            && Destination.Contains(headers.Destination) != IsDestinationInverted
            && In.Matches(packet.In)
            && Out.Matches(packet.Out)
            && (Protocol == 0 || (headers.Protocol == Protocol) != IsProtocolInverted)
            && (!IsFragment || (headers.FragmentOffset != 0) != IsFragmentInverted);
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints)
    {
        constraints.RestrictAddress(PacketField.Source, Source.Address, Source.Mask, IsSourceInverted);
        constraints.RestrictAddress(PacketField.Destination, Destination.Address, Destination.Mask, IsDestinationInverted);
        In.Constrain(constraints, PacketField.In);
        Out.Constrain(constraints, PacketField.Out);
        if (Protocol != 0) constraints.Restrict(PacketField.Protocol, Protocol, Protocol, IsProtocolInverted);
    }

    /// <summary>Nothing: all it says has columns of its own.</summary>
    public override void List(ListingWriter writer)
    {
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        WriteAddress(writer, "-s", Source, IsSourceInverted);
        WriteAddress(writer, "-d", Destination, IsDestinationInverted);
        In.Write(writer, "-i");
        Out.Write(writer, "-o");
        if (Protocol != 0) writer.Option("-p", IsProtocolInverted).Word(ProtocolNames.Name(Protocol));
        if (IsFragment) writer.Option("-f", IsFragmentInverted);
    }

    private void WriteAddress(RuleWriter writer, string option, MaskedAddress address, bool isInverted)
    {
        if (address.Mask == default && !isInverted) return;
        writer.Option(option, isInverted).Word(address.ToString(Family));
    }
}
