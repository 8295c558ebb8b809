using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Text;

/// <summary>Where an extension may be used: what the kernel checks in <c>xt_check_match</c> and <c>xt_check_target</c>.</summary>
public sealed record ExtensionScope
{
    /// <summary>No limits.</summary>
    public static ExtensionScope Anywhere { get; } = new();

    /// <summary>The only family, or <see cref="IpFamily.None"/> for both.</summary>
    public IpFamily Family { get; init; }

    /// <summary>The only tables; empty for all.</summary>
    public ImmutableArray<string> Tables { get; init; } = [];

    /// <summary>The only hooks from which a chain that uses it may be reached; empty for all.</summary>
    public ImmutableArray<Hook> Hooks { get; init; } = [];

    /// <summary>The protocols of which one the rule must name by <c>-p</c>, not inverted; empty for any.</summary>
    public ImmutableArray<byte> Protocols { get; init; } = [];
}
