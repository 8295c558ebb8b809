using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>Which ports <c>-m multiport</c> looks at.</summary>
public enum MultiportSide
{
    /// <summary><c>--sports</c>.</summary>
    Source,

    /// <summary><c>--dports</c>.</summary>
    Destination,

    /// <summary><c>--ports</c>: one of the two is enough.</summary>
    Either,
}

/// <summary><c>-m multiport</c>: up to 15 ports, a range counting twice (<c>multiport_mt</c> in xt_multiport.c).</summary>
/// <param name="side">Which ports.</param>
/// <param name="ports">The ports and ranges.</param>
/// <param name="isInverted">True for <c>!</c>.</param>
public sealed class MultiportMatch(MultiportSide side, ImmutableArray<(ushort Low, ushort High)> ports, bool isInverted) : Match
{
    /// <summary>Which ports.</summary>
    public MultiportSide Side { get; } = side;

    /// <summary>The ports and ranges; a single port is a range of one.</summary>
    public ImmutableArray<(ushort Low, ushort High)> Ports { get; } = ports;

    /// <summary>True for <c>!</c>.</summary>
    public bool IsInverted { get; } = isInverted;

    /// <inheritdoc/>
    public override string Name => "multiport";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        ref readonly var headers = ref packet.Headers;
        if (headers.FragmentOffset != 0) return false;
        if (headers.TransportLength < 4)
        {
            hotDrop = true;
            return false;
        }
        foreach (var (low, high) in Ports.AsSpan())
        {
            if ((Side != MultiportSide.Destination && headers.SourcePort >= low && headers.SourcePort <= high)
                || (Side != MultiportSide.Source && headers.DestinationPort >= low && headers.DestinationPort <= high)) return !IsInverted;
        }
        return IsInverted;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        var ports = string.Join(',', Ports.Select(p => p.Low == p.High ? $"{p.Low}" : $"{p.Low}:{p.High}"));
        var side = Side switch
        {
            MultiportSide.Source => "sports",
            MultiportSide.Destination => "dports",
            _ => "ports",
        };
        // Two spaces before the exclamation mark and none behind it, as iptables has them.
        writer.Words($"multiport {side} {(IsInverted ? " !" : "")}{ports}");
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints)
    {
        if (Side == MultiportSide.Either) return;
        constraints.Restrict(
            Side == MultiportSide.Source ? PacketField.SourcePort : PacketField.DestinationPort,
            [.. Ports.Select(p => new FieldRange(p.Low, p.High))], IsInverted);
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        writer.Option(Side switch { MultiportSide.Source => "--sports", MultiportSide.Destination => "--dports", _ => "--ports" }, IsInverted);
        writer.Word(string.Join(',', Ports.Select(p => p.Low == p.High
            ? p.Low.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{p.Low}:{p.High}"))));
    }
}

/// <summary>The language of <c>-m multiport</c> (libxt_multiport.c).</summary>
public sealed class MultiportMatchExtension : MatchExtension
{
    private const int MaxPorts = 15;

    /// <inheritdoc/>
    public override string Name => "multiport";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new()
    {
        Protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.UdpLite, IpProtocol.Sctp, IpProtocol.Dccp],
    };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("sports") { Aliases = ["source-ports"], Invertible = true, Excludes = ["dports", "ports"] },
        new("dports") { Aliases = ["destination-ports"], Invertible = true, Excludes = ["ports"] },
        new("ports") { Invertible = true },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Uses.Length == 0)
        {
            options.Error(options.Word, "multiport: no ports are given", "write --dports, --sports or --ports");
            return null;
        }
        var use = options.Uses[0];
        var ports = ImmutableArray.CreateBuilder<(ushort, ushort)>();
        var places = 0;
        foreach (var part in ExtensionOptions.List(use.Word))
        {
            var isRange = part.Text.Contains(':', StringComparison.Ordinal);
            places += isRange ? 2 : 1;
            if (places > MaxPorts)
            {
                options.Error(part, $"multiport: more than {MaxPorts} ports are listed; a range counts twice", "split the list into several rules");
                return null;
            }
            ports.Add(isRange ? Range(options, part) : Single(options, part));
        }
        var side = use.Spec.Name switch
        {
            "sports" => MultiportSide.Source,
            "dports" => MultiportSide.Destination,
            _ => MultiportSide.Either,
        };
        return new MultiportMatch(side, ports.ToImmutable(), use.IsInverted);
    }

    private static (ushort, ushort) Single(ExtensionOptions options, Token part)
    {
        var port = options.Port(part, options.Rule.Protocol);
        return (port, port);
    }

    // Both ends must be there, and differ.
    private static (ushort Low, ushort High) Range(ExtensionOptions options, Token part)
    {
        var colon = part.Text.IndexOf(':', StringComparison.Ordinal);
        var before = options.Mistakes;
        var low = options.Port(part.Part(0, colon), options.Rule.Protocol);
        var high = options.Port(part.Part(colon + 1, part.Text.Length - colon - 1), options.Rule.Protocol);
        if (low >= high && options.Mistakes == before) options.Error(part, $"multiport: the range \"{part}\" does not end after its begin");
        return (low, high);
    }
}
