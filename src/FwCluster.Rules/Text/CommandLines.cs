using FwCluster.Packets;

namespace FwCluster.Rules.Text;

/// <summary>Reads iptables commands, one a line, as scripts have them: <c>sudo /sbin/iptables -t raw -A ...</c>.</summary>
/// <param name="lines">The lines.</param>
/// <param name="rules">Where commands go, by family.</param>
/// <param name="errors">Where mistakes go.</param>
internal sealed class CommandLines(string[] lines, Func<IpFamily, RulesetBuilder> rules, ErrorList errors)
{
    private static readonly string[] Commands = ["iptables", "ip6tables"];

    /// <summary>Reads all lines.</summary>
    public void Read()
    {
        var shell = new ShellWords(lines, errors);
        for (var line = 0; line < lines.Length;)
        {
            if (shell.Next(ref line) is { Count: > 0 } words && RestoreWords.Check(words, errors)) Run(words, line);
        }
    }

    private void Run(List<Token> words, int nextLine)
    {
        var first = words[0].Text == "sudo" && words.Count > 1 ? 1 : 0;
        if (Family(words[first].Text) is not { } family)
        {
            NotACommand(words[first]);
            return;
        }
        var end = new Token("", nextLine, lines[nextLine - 1].Length + 1, 1, false);
        var command = CommandParser.Parse(words[(first + 1)..], end, family, null, errors);
        if (command is not null) rules(family).Run(command);
    }

    private static IpFamily? Family(string word) => word[(word.LastIndexOf('/') + 1)..] switch
    {
        "iptables" or "iptables-legacy" or "iptables-nft" => IpFamily.IPv4,
        "ip6tables" or "ip6tables-legacy" or "ip6tables-nft" => IpFamily.IPv6,
        _ => null,
    };

    private void NotACommand(Token word)
        => errors.Error(word, $"\"{word}\" is not an iptables command",
            word.Text.StartsWith('-') ? $"write iptables {word} ..., or put the rules between *filter and COMMIT"
            : word.Text.StartsWith(':') || word.Text == "COMMIT" ? "a line like *filter must stand before"
            : Nearest.Hint(word.Text, Commands) ?? "a line is an iptables or ip6tables command, a comment, or empty");
}
