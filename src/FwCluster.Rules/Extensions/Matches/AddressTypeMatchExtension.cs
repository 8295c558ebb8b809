using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m addrtype</c> (libxt_addrtype.c).</summary>
public sealed class AddressTypeMatchExtension : MatchExtension
{
    // In the order of their bits; a beginning stands for the first that begins so.
    private static readonly string[] TypeNames =
        ["UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"];

    /// <inheritdoc/>
    public override string Name => "addrtype";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("src-type") { Invertible = true },
        new("dst-type") { Invertible = true },
        new("limit-iface-in", 0) { Excludes = ["limit-iface-out"] },
        new("limit-iface-out", 0) { Excludes = ["limit-iface-in"] },
    ];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        var (source, destination) = (options.Find("src-type"), options.Find("dst-type"));
        if (source is null && destination is null)
            options.Error(options.Word, "addrtype: no type is given", "write --src-type or --dst-type and types like LOCAL or BROADCAST");
        CheckInterface(options, "limit-iface-in", "OUTPUT", "POSTROUTING");
        CheckInterface(options, "limit-iface-out", "PREROUTING", "INPUT");
        return new AddressTypeMatch
        {
            Source = source is null ? AddressType.None : Types(options, source.Word),
            IsSourceInverted = source?.IsInverted ?? false,
            Destination = destination is null ? AddressType.None : Types(options, destination.Word),
            IsDestinationInverted = destination?.IsInverted ?? false,
            LimitToIn = options.Has("limit-iface-in"),
            LimitToOut = options.Has("limit-iface-out"),
        };
    }

    /// <summary>Types as rules write them.</summary>
    internal static string Names(AddressType types) => string.Join(',', TypeNames.Where((_, i) => ((int)types >> i & 1) != 0));

    private static AddressType Types(ExtensionOptions options, Token word)
    {
        // addrtype_mt_checkentry_v1: what IPv6 routing does not know.
        const AddressType NotInV6 = AddressType.Blackhole | AddressType.Broadcast | AddressType.Prohibit | AddressType.Throw
            | AddressType.Nat | AddressType.Xresolve;
        var types = AddressType.None;
        foreach (var part in ExtensionOptions.List(word))
        {
            var type = Array.FindIndex(TypeNames, n => part.Text.Length > 0 && n.StartsWith(part.Text, StringComparison.OrdinalIgnoreCase));
            if (type < 0)
            {
                options.Error(part, $"addrtype: \"{part}\" is not a type of address", "there are " + string.Join(", ", TypeNames));
                continue;
            }
            var flag = (AddressType)(1 << type);
            if (options.Rule.Family == IpFamily.IPv6 && (flag & NotInV6) != 0)
                options.Error(part, $"addrtype: IPv6 has no {TypeNames[type]} addresses");
            types |= flag;
        }
        return types;
    }

    private static void CheckInterface(ExtensionOptions options, string option, string chain, string otherChain)
    {
        if (options.Find(option) is not { } use || options.Rule.Chain != chain && options.Rule.Chain != otherChain) return;
        options.Error(use.Option, $"addrtype: --{option} cannot be used in {options.Rule.Chain}, where there is no such interface");
    }
}
