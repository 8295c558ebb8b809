using FwCluster.Packets;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>One command as it was read, its extensions not built yet.</summary>
internal sealed class Command
{
    /// <summary>The command's long name: append, insert, new-chain, policy, flush, delete-chain, zero.</summary>
    public string? Verb { get; set; }

    /// <summary>The option that says so.</summary>
    public Token VerbWord { get; set; }

    /// <summary>The family it is for.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>The table's name.</summary>
    public string Table { get; set; } = "filter";

    /// <summary>The chain; null where the command names none (all chains).</summary>
    public Token? Chain { get; set; }

    /// <summary>The rule number of <c>-I</c> and <c>-Z</c>, 1-based; 0 for none.</summary>
    public int Number { get; set; }

    /// <summary>The policy of <c>-P</c>.</summary>
    public Token? Policy { get; set; }

    /// <summary>Options that are not an extension's, by long name.</summary>
    public Dictionary<string, OptionUse> Options { get; } = [];

    /// <summary>Matches in the order in which they came.</summary>
    public List<ExtensionUse> Matches { get; } = [];

    /// <summary>The target, where <c>-j</c> names one.</summary>
    public ExtensionUse? Target { get; set; }

    /// <summary>The word after <c>-j</c> or <c>-g</c>.</summary>
    public Token? Jump { get; set; }

    /// <summary>True for <c>-g</c>.</summary>
    public bool IsGoto { get; set; }

    /// <summary>Where counting starts.</summary>
    public RuleCounters Counters { get; set; }

    /// <summary>The protocol of <c>-p</c>; 0 for any.</summary>
    public byte Protocol { get; set; }

    /// <summary>True for <c>! -p</c>.</summary>
    public bool IsProtocolInverted { get; set; }

    /// <summary>The line the command stands on.</summary>
    public required int Line { get; init; }
}
