using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>Names of the lists that <c>recent</c> and <c>hashlimit</c> keep. The kernel makes files of them (<c>xt_check_proc_name</c>).</summary>
internal static class TableName
{
    /// <summary>Reads a name; reports what cannot be one.</summary>
    public static string Read(ExtensionOptions options, Token word, int maxLength)
    {
        if (word.Text.Length == 0 || word.Text.Length > maxLength || word.Text is "." or ".." || word.Text.Contains('/', StringComparison.Ordinal))
            options.Error(word, $"{options.Name}: \"{word}\" cannot be a name", $"a name has 1 to {maxLength} characters and no slash");
        return word.Text;
    }
}
