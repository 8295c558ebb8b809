namespace FwCluster.Control.Rulesets;

/// <summary>A version of the rules: who put it in force, when and why.</summary>
public sealed record RulesetGeneration
{
    /// <summary>What is there before any rules were applied.</summary>
    public static RulesetGeneration None { get; } = new() { Number = 0, Applied = DateTimeOffset.UnixEpoch, Author = "", Digest = RulesetTexts.Empty.Digest() };

    /// <summary>The author of what nobody in person applied.</summary>
    public const string Daemon = "fwclusterd";

    private const string From = "from ";

    /// <summary>From 1; numbers only grow.</summary>
    public required ulong Number { get; init; }

    /// <summary>When it was applied.</summary>
    public required DateTimeOffset Applied { get; init; }

    /// <summary>Who applied it.</summary>
    public required string Author { get; init; }

    /// <summary>What the author said about it.</summary>
    public string Comment { get; init; } = "";

    /// <summary>The generation whose rules it brought back; 0 for none.</summary>
    public ulong Restores { get; init; }

    /// <summary>Until when it must be confirmed; null where it is to stay.</summary>
    public DateTimeOffset? ConfirmBy { get; init; }

    /// <summary><see cref="RulesetTexts.Digest"/> of its rules.</summary>
    public required string Digest { get; init; }

    /// <summary>It was read from the rule files of the configuration.</summary>
    public bool IsFromFiles => Author == Daemon && Comment.StartsWith(From, StringComparison.Ordinal);

    /// <summary>The comment of a generation that was read from files.</summary>
    public static string FromFiles(IEnumerable<string> files) => From + string.Join(", ", files);
}
