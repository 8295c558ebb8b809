using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m icmp</c> and <c>-m icmp6</c>: type and code (<c>icmp_match</c> and <c>icmp6_match</c>).</summary>
/// <param name="family">IPv4 for ICMP, IPv6 for ICMPv6.</param>
/// <param name="type">The type and codes.</param>
/// <param name="isInverted">True for <c>!</c>.</param>
public sealed class IcmpMatch(IpFamily family, IcmpTypeCode type, bool isInverted) : Match
{
    private const int HeaderLength = 8;

    /// <summary>The type and codes.</summary>
    public IcmpTypeCode Type { get; } = type;

    /// <summary>True for <c>!</c>.</summary>
    public bool IsInverted { get; } = isInverted;

    /// <summary>True where every type matches: ICMP's 255.</summary>
    public bool IsAny => family == IpFamily.IPv4 && Type.Type == IcmpTypes.Any;

    /// <inheritdoc/>
    public override string Name => family == IpFamily.IPv4 ? "icmp" : "icmp6";

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
        var matches = IsAny
            || (headers.IcmpType == Type.Type && headers.IcmpCode >= Type.LowCode && headers.IcmpCode <= Type.HighCode);
        return matches != IsInverted;
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        var codes = Type.LowCode == Type.HighCode ? $" code {Type.LowCode}"
            : Type.LowCode != 0 || Type.HighCode != byte.MaxValue ? $" codes {Type.LowCode}-{Type.HighCode}"
            : "";
        writer.Words($"{(family == IpFamily.IPv4 ? "icmp" : "ipv6-icmp")}{(IsInverted ? " !" : "")}type {Type.Type}{codes}");
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
        => writer.Option(family == IpFamily.IPv4 ? "--icmp-type" : "--icmpv6-type", IsInverted).Word(IsAny ? "any" : Type.ToString());
}

/// <summary>The language of <c>-m icmp</c> (libipt_icmp.c).</summary>
public sealed class IcmpMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "icmp";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Family = IpFamily.IPv4, Protocols = [IpProtocol.Icmp] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("icmp-type") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("icmp-type") is { } use
            ? new IcmpMatch(IpFamily.IPv4, IcmpTypes.Read(options, use.Word, IcmpTypes.IPv4), use.IsInverted)
            : null;
}

/// <summary>The language of <c>-m icmp6</c> (libip6t_icmp6.c).</summary>
public sealed class Icmp6MatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "icmp6";

    /// <inheritdoc/>
    public override ImmutableArray<string> Aliases => ["icmpv6", "ipv6-icmp"];

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Family = IpFamily.IPv6, Protocols = [IpProtocol.IcmpV6] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("icmpv6-type") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("icmpv6-type") is { } use
            ? new IcmpMatch(IpFamily.IPv6, IcmpTypes.Read(options, use.Word, IcmpTypes.IPv6), use.IsInverted)
            : null;
}
