using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m ttl</c> (libipt_ttl.c) and <c>-m hl</c> (libip6t_hl.c).</summary>
/// <param name="family">IPv4 for ttl, IPv6 for hl.</param>
public sealed class HopLimitMatchExtension(IpFamily family) : MatchExtension
{
    private readonly string _name = NameIn(family);

    /// <inheritdoc/>
    public override string Name => _name;

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Family = family };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = OptionsOf(NameIn(family));

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
    {
        if (options.Uses.IsEmpty)
        {
            options.Error(options.Word, $"{_name}: nothing to compare with", $"write --{_name}-eq, --{_name}-lt or --{_name}-gt and a number");
            return null;
        }
        var use = options.Uses[0];
        var comparison = use.Spec.Name[(_name.Length + 1)..] switch
        {
            "lt" => HopLimitComparison.Less,
            "gt" => HopLimitComparison.Greater,
            _ => use.IsInverted ? HopLimitComparison.NotEqual : HopLimitComparison.Equal,
        };
        return new HopLimitMatch(_name, comparison, (byte)options.Number(use.Word, 0, byte.MaxValue));
    }

    private static string NameIn(IpFamily family) => family == IpFamily.IPv4 ? "ttl" : "hl";

    private static ImmutableArray<OptionSpec> OptionsOf(string name) =>
    [
        new(name + "-eq") { Aliases = [name], Invertible = true, Excludes = [name + "-lt", name + "-gt"] },
        new(name + "-lt") { Excludes = [name + "-eq", name + "-gt"] },
        new(name + "-gt") { Excludes = [name + "-eq", name + "-lt"] },
    ];
}
