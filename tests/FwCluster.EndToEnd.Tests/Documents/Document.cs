using System.Globalization;
using System.Text.RegularExpressions;
using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>
/// A page of the documentation, read as far as tests look at it. The word behind a fence says what a block is:
/// <list type="bullet">
/// <item><c>bash</c>: pasted, block by block, into a terminal by a test.</item>
/// <item>no word: command lines. Where the output is shown they are run, else checked: programs, subcommands, options, settings, files.</item>
/// <item><c>yaml</c>: settings of fwclusterd or fwctl, which must take them, or what the comment before it says.</item>
/// <item><c>rules</c>, <c>rules6</c>, <c>sets</c>: text for the daemon and for the kernel's own tools, both of which must take it.</item>
/// <item><c>text</c>: to look at.</item>
/// </list>
/// A comment <c>&lt;!-- prints --&gt;</c> before a block says that it is the output of the one before.
/// </summary>
internal sealed partial class Document
{
    private Document(string name)
    {
        Name = name;
        Folder = Path.GetDirectoryName(Path.Combine(Repository.Root, name))!;
        Read(File.ReadAllLines(Path.Combine(Repository.Root, name)));
    }

    /// <summary>README.md and all pages of docs.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        new("README.md"),
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md").Select(path => "docs/" + Path.GetFileName(path))
            .Order(StringComparer.Ordinal).Select(name => new Document(name)),
    ];

    /// <summary>The path in the repository.</summary>
    public string Name { get; }

    /// <summary>Where its links begin.</summary>
    public string Folder { get; }

    /// <summary>Its blocks in order; those that are output are with the ones that print it.</summary>
    public List<DocumentBlock> Blocks { get; } = [];

    /// <summary>Code within sentences, with its place.</summary>
    public List<(string Place, string Code)> Spans { get; } = [];

    /// <summary>Links to other files, with their places.</summary>
    public List<(string Place, string Target)> Links { get; } = [];

    /// <summary>What a link may name behind '#'.</summary>
    public HashSet<string> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>The page of a name.</summary>
    public static Document Of(string name) => All.Single(document => document.Name == name);

    private void Read(string[] lines)
    {
        var comment = "";
        for (var i = 0; i < lines.Length; i++)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"{Name}:{i + 1}");
            if (Fence().Match(lines[i]) is { Success: true } fence)
            {
                var indent = fence.Groups["indent"].Length;
                var text = new List<string>();
                for (i++; lines[i].Trim() != "```"; i++) text.Add(lines[i].Length > indent ? lines[i][indent..] : "");
                Add(place, fence.Groups["language"].Value, string.Concat(text.Select(line => line + "\n")), comment);
                comment = "";
            }
            else if (Comment().Match(lines[i]) is { Success: true } said) comment = said.Groups["words"].Value;
            else if (lines[i].Length > 0)
            {
                comment = "";
                Spans.AddRange(Span().Matches(lines[i]).Select(span => (place, span.Groups["code"].Value)));
                Links.AddRange(Link().Matches(lines[i]).Select(link => (place, link.Groups["target"].Value)));
                if (Heading().Match(lines[i]) is { Success: true } heading)
                    Anchors.Add(NotInAnchors().Replace(heading.Groups["words"].Value.ToLowerInvariant(), "").Replace(' ', '-'));
            }
        }
    }

    private void Add(string place, string language, string text, string comment)
    {
        if (PrintedText.FromComment(comment, text) is { } printed)
        {
            Assert.True(Blocks is [.., { IsCommands: true, Prints: null }] && language.Length == 0, $"{place}: this is the output of no command");
            Blocks[^1] = Blocks[^1] with { Prints = printed };
            return;
        }
        var host = comment.StartsWith("on ", StringComparison.Ordinal) ? comment[3..] : null;
        Blocks.Add(new(place, language, text) { Host = host, Note = host is null ? comment : "" });
    }

    [GeneratedRegex("^(?<indent> *)```(?<language>[a-z0-9]*)$")]
    private static partial Regex Fence();

    [GeneratedRegex("^ *<!-- (?<words>.*) -->$")]
    private static partial Regex Comment();

    [GeneratedRegex("`(?<code>[^`]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<words>.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();
}
