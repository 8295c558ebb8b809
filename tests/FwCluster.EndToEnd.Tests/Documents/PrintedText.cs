using System.Globalization;
using System.Text.RegularExpressions;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>What a document says that a block of commands prints.</summary>
/// <param name="Text">The text.</param>
/// <param name="ExitCode">The exit code of the last command that failed, or 0.</param>
/// <param name="HasVariables">A word <c>n</c> in it stands for any number.</param>
internal sealed partial record PrintedText(string Text, int ExitCode, bool HasVariables)
{
    /// <summary>Fails where something else was printed. Blanks at the ends of lines are not looked at: editors take them away.</summary>
    public void Check(string place, int exitCode, string printed)
    {
        Assert.True(ExitCode == exitCode, $"{place}: the exit code is {exitCode}, not {ExitCode}; printed is\n{printed}");
        var (expected, actual) = (WithoutTrailingBlanks(Text), WithoutTrailingBlanks(printed));
        if (HasVariables) actual = Normalized(expected, actual);
        Assert.True(expected == actual, $"{place}: printed is\n{actual}\nand the document shows\n{expected}");
    }

    /// <summary>Puts <c>n</c> where the document has it and there is a number, line by line and word by word; the width does not count there.</summary>
    private static string Normalized(string expected, string actual)
    {
        var (shown, printed) = (expected.Split('\n'), actual.Split('\n'));
        for (var i = 0; i < Math.Min(shown.Length, printed.Length); i++)
        {
            if (!Variable().IsMatch(shown[i])) continue;
            var pattern = string.Join(" +", shown[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Regex.Escape));
            if (Regex.IsMatch(printed[i], $"^ *{Variable().Replace(pattern, "[0-9]+")}$", RegexOptions.CultureInvariant)) printed[i] = shown[i];
        }
        return string.Join('\n', printed);
    }

    /// <summary>Reads the words of a comment, <c>prints</c> and what may follow; null where it is another one.</summary>
    public static PrintedText? FromComment(string comment, string text)
        => Words().Match(comment) is { Success: true } match
            ? new(text, match.Groups["code"].Success ? int.Parse(match.Groups["code"].Value, CultureInfo.InvariantCulture) : 0, match.Groups["n"].Success)
            : null;

    private static string WithoutTrailingBlanks(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()));

    [GeneratedRegex(@"^prints(, exit code (?<code>\d+))?(?<n>, with n for what differs from run to run)?$")]
    private static partial Regex Words();

    [GeneratedRegex(@"(?<![\w/.-])n(?![\w/.-])")]
    private static partial Regex Variable();
}
