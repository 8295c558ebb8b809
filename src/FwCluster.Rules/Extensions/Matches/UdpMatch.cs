using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m udp</c>: ports (<c>udp_mt</c> in xt_tcpudp.c).</summary>
public sealed class UdpMatch : Match
{
    private const int HeaderLength = 8;

    /// <summary>Source ports.</summary>
    public PortRange Source { get; init; } = PortRange.Any;

    /// <summary>Destination ports.</summary>
    public PortRange Destination { get; init; } = PortRange.Any;

    /// <inheritdoc/>
    public override string Name => "udp";

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
        return Source.Contains(headers.SourcePort) && Destination.Contains(headers.DestinationPort);
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        writer.Words("udp");
        Source.List(writer, "spt");
        Destination.List(writer, "dpt");
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
    }
}

/// <summary>The language of <c>-m udp</c> (libxt_udp.c).</summary>
public sealed class UdpMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "udp";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Protocols = [IpProtocol.Udp] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("sport") { Aliases = ["source-port"], Invertible = true },
        new("dport") { Aliases = ["destination-port"], Invertible = true },
    ];

    /// <inheritdoc/>
    public override Match Build(ExtensionOptions options) => new UdpMatch
    {
        Source = PortRange.ReadForPacket(options, "sport", protocol: 0).Turned,
        Destination = PortRange.ReadForPacket(options, "dport", protocol: 0).Turned,
    };
}
