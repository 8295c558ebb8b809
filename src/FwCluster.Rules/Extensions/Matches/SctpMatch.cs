using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m sctp</c> and <c>-m dccp</c>: ports (<c>sctp_mt</c> in xt_sctp.c, <c>dccp_mt</c> in xt_dccp.c, which begin alike).</summary>
/// <param name="name"><c>sctp</c> or <c>dccp</c>.</param>
/// <param name="source">Source ports, or null.</param>
/// <param name="destination">Destination ports, or null.</param>
public sealed class SctpMatch(string name, PortRange? source, PortRange? destination) : Match
{
    // Both headers have 12 bytes (RFC 9260 section 3.1, RFC 4340 section 5.1).
    private const int HeaderLength = 12;

    /// <summary>Source ports, or null.</summary>
    public PortRange? Source { get; } = source;

    /// <summary>Destination ports, or null.</summary>
    public PortRange? Destination { get; } = destination;

    /// <inheritdoc/>
    public override string Name { get; } = name;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        ref readonly var headers = ref packet.Headers;
        if (headers.FragmentOffset != 0) return false;
        if (headers.TransportLength < HeaderLength)
        {
            hotDrop = true;
            return false;
        }
        return (Source is not { } source || source.Contains(headers.SourcePort))
            && (Destination is not { } destination || destination.Contains(headers.DestinationPort));
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints)
    {
        Source?.Constrain(constraints, PacketField.SourcePort);
        Destination?.Constrain(constraints, PacketField.DestinationPort);
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words(Name);
        Source?.List(writer, "spt");
        Destination?.List(writer, "dpt");
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        Source?.WriteAlways(writer, "--sport");
        Destination?.WriteAlways(writer, "--dport");
    }
}

/// <summary>The language of <c>-m sctp</c> (libxt_sctp.c) and <c>-m dccp</c> (libxt_dccp.c): their ports.</summary>
/// <param name="name"><c>sctp</c> or <c>dccp</c>.</param>
/// <param name="protocol">Its number.</param>
/// <param name="serviceProtocol">Whose service names count, as <see cref="ExtensionOptions.Port"/> takes it.</param>
/// <param name="others">Options that iptables has besides.</param>
public sealed class SctpMatchExtension(string name, byte protocol, byte serviceProtocol, params ImmutableArray<OptionSpec> others)
    : MatchExtension
{
    private const string PortsOnly = "only ports are";

    /// <summary><c>-m sctp</c>.</summary>
    public static SctpMatchExtension Sctp { get; } = new("sctp", IpProtocol.Sctp, IpProtocol.Sctp,
        new OptionSpec("chunk-types", 2) { Invertible = true, Unsupported = PortsOnly });

    /// <summary><c>-m dccp</c>.</summary>
    public static SctpMatchExtension Dccp { get; } = new("dccp", IpProtocol.Dccp, 0,
        new OptionSpec("dccp-types") { Invertible = true, Unsupported = PortsOnly },
        new OptionSpec("dccp-option") { Invertible = true, Unsupported = PortsOnly });

    /// <inheritdoc/>
    public override string Name { get; } = name;

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Protocols = [protocol] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("sport") { Aliases = ["source-port"], Invertible = true },
        new("dport") { Aliases = ["destination-port"], Invertible = true },
        .. others,
    ];

    /// <inheritdoc/>
    public override Match Build(ExtensionOptions options) => new SctpMatch(Name, Ports(options, "sport"), Ports(options, "dport"));

    private PortRange? Ports(ExtensionOptions options, string option)
        => options.Has(option) ? PortRange.ReadForPacket(options, option, serviceProtocol) : null;
}
