using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m pkttype</c> (libxt_pkttype.c).</summary>
public sealed class PacketTypeMatchExtension : MatchExtension
{
    /// <summary>Names of types; the first of each is the one that is written.</summary>
    internal static readonly (string Name, LinkPacketType Type)[] Types =
    [
        ("unicast", LinkPacketType.Host), ("broadcast", LinkPacketType.Broadcast), ("multicast", LinkPacketType.Multicast),
        ("otherhost", LinkPacketType.OtherHost), ("bcast", LinkPacketType.Broadcast), ("mcast", LinkPacketType.Multicast),
        ("host", LinkPacketType.Host),
    ];

    /// <inheritdoc/>
    public override string Name => "pkttype";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("pkt-type") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Find("pkt-type") is not { } use) return null;
        foreach (var (name, type) in Types)
        {
            if (name.Equals(use.Word.Text, StringComparison.OrdinalIgnoreCase)) return new PacketTypeMatch(type, use.IsInverted);
        }
        options.Error(use.Word, $"pkttype: \"{use.Word}\" is not a packet type", "there are unicast, broadcast, multicast and otherhost");
        return null;
    }
}
