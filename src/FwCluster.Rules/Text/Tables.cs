using System.Collections.Immutable;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Text;

/// <summary>The tables and their built-in chains.</summary>
public static class Tables
{
    private static readonly string[] Names = ["raw", "mangle", "filter"];

    /// <summary>The hooks where a table's rules run, in the order in which <c>iptables-save</c> writes its built-in chains; empty for a
    /// table that there is not.</summary>
    public static ImmutableArray<Hook> Hooks(string table) => table switch
    {
        "raw" => [Hook.PreRouting, Hook.Output],
        "mangle" => [Hook.PreRouting, Hook.Input, Hook.Forward, Hook.Output, Hook.PostRouting],
        "filter" => [Hook.Input, Hook.Forward, Hook.Output],
        _ => [],
    };

    /// <summary>Where a table stands in what <c>iptables-save</c> writes (<c>enum nft_table_type</c> of iptables; the variant that uses the
    /// kernel's older interface writes them in the order in which they were first used).</summary>
    public static int SavedOrder(string table) => table switch { "mangle" => 0, "raw" => 1, _ => 2 };

    /// <summary>The name of a hook's chain.</summary>
    public static string ChainName(Hook hook) => hook switch
    {
        Hook.PreRouting => "PREROUTING",
        Hook.Input => "INPUT",
        Hook.Forward => "FORWARD",
        Hook.Output => "OUTPUT",
        _ => "POSTROUTING",
    };

    /// <summary>Reports a name that is no table's.</summary>
    /// <returns>True where it is one.</returns>
    public static bool Check(IErrorSink errors, Token word)
    {
        if (Names.Contains(word.Text)) return true;
        if (word.Text is "nat" or "security")
            errors.Error(word, $"the table {word} is not supported", "there are raw, mangle and filter");
        else
            errors.Error(word, $"there is no table \"{word}\"", Nearest.Hint(word.Text, Names) ?? "there are raw, mangle and filter");
        return false;
    }
}
