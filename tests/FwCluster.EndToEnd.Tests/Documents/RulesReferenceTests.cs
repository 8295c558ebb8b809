using System.Text;
using System.Text.RegularExpressions;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Rules.Extensions;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>The reference of rules says what the language has, no less and no more. To write its tables anew: <c>FWCLUSTER_TEST_WRITE_REFERENCE=yes</c>.</summary>
public sealed partial class RulesReferenceTests
{
    private const string Name = "docs/rules-reference.md";

    [Theory]
    [InlineData("matches")]
    [InlineData("targets")]
    public void TheTablesAreThoseOfTheLanguage(string table)
    {
        var file = Path.Combine(Repository.Root, Name);
        var page = File.ReadAllText(file);
        var (begin, end) = ($"<!-- {table} -->\n", $"<!-- /{table} -->\n");
        var (from, to) = (page.IndexOf(begin, StringComparison.Ordinal) + begin.Length, page.IndexOf(end, StringComparison.Ordinal));
        Assert.True(from >= begin.Length && to >= from, $"{Name} has no table of {table}");
        var expected = table == "matches" ? Table("match", ExtensionRegistry.Matches.Values) : Table("target", ExtensionRegistry.Targets.Values);
        if (Environment.GetEnvironmentVariable("FWCLUSTER_TEST_WRITE_REFERENCE") is "yes") File.WriteAllText(file, page[..from] + expected + page[to..]);
        else Assert.Equal(expected, page[from..to]);
    }

    [Fact]
    public void EachMatchAndTargetHasAnExample()
    {
        var examples = string.Concat(Document.Of(Name).Blocks.Where(block => block.Language is "rules" or "rules6").Select(block => block.Text));
        foreach (var match in ExtensionRegistry.Matches.Values.Distinct()) Assert.Matches($"-m {Regex.Escape(match.Name)} ", examples);
        foreach (var target in ExtensionRegistry.Targets.Values.Distinct()) Assert.Matches($@"-j {Regex.Escape(target.Name)}\b", examples);
    }

    [Fact]
    public void EachOptionOfAMatchOrATargetIsInAnExampleOrExplained()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, Name));
        // Not in the tables, which have them all: a person wants to see it used.
        var explained = string.Join('\n', page.Split('\n').Where(line => !line.StartsWith('|')));
        foreach (var extension in ExtensionRegistry.Matches.Values.Concat<Extension>(ExtensionRegistry.Targets.Values).Distinct())
            foreach (var option in extension.Options.Where(option => option.Unsupported is null))
                Assert.True(Regex.IsMatch(explained, $"--{Regex.Escape(option.Name)}(?![a-z-])"), $"{extension.Name} --{option.Name} is in no example");
    }

    /// <summary>Each extension that this machine's iptables has is in the page, where it is not supported as such.</summary>
    [Fact]
    public void WhatIptablesHasBesidesIsNamed()
    {
        var folder = Directory.Exists("/usr/lib/x86_64-linux-gnu/xtables") ? "/usr/lib/x86_64-linux-gnu/xtables" : "/usr/lib/aarch64-linux-gnu/xtables";
        Assert.SkipUnless(Directory.Exists(folder), "iptables is not installed");
        var page = File.ReadAllText(Path.Combine(Repository.Root, Name));
        var refused = page[page.IndexOf("## Not supported", StringComparison.Ordinal)..];
        var named = Span().Matches(refused).Select(span => span.Groups["code"].Value).ToHashSet();
        foreach (var file in Directory.EnumerateFiles(folder, "lib*.so"))
        {
            if (Extension().Match(Path.GetFileName(file)) is not { Success: true } match || match.Groups["name"].Value is "standard" or "NAT") continue;
            var name = match.Groups["name"].Value;
            var isTarget = char.IsUpper(name[0]);
            var isSupported = isTarget ? ExtensionRegistry.Targets.ContainsKey(name) : ExtensionRegistry.Matches.ContainsKey(name);
            Assert.True(isSupported != named.Contains(name), $"{Name}: is {name} supported or not?");
            if (isSupported) continue;
            var read = RulesetReader.Read($"*filter\n-A FORWARD {(isTarget ? "-j" : "-m")} {name}\nCOMMIT\n", "rules", match.Groups["family"].Value == "6" ? IpFamily.IPv6 : IpFamily.IPv4);
            Assert.Contains(read.Errors, error => error.ToString().Contains("not supported", StringComparison.Ordinal));
        }
    }

    /// <summary>The text of all pages that are rules, here and in the kernel.</summary>
    [KernelTheory]
    [MemberData(nameof(Pages))]
    public void RulesOfThePagesAreTakenHereAndByTheKernel(string name)
    {
        var page = Document.Of(name);
        using var lab = new NetworkLab();
        var host = lab.AddNamespace("r");
        var sets = SetCollection.Empty;
        foreach (var block in page.Blocks)
        {
            if (block.Language == "sets")
            {
                var read = SetReader.Read(block.Text, block.Place);
                Assert.True(read.Errors.Count == 0, string.Join('\n', read.Errors));
                sets = read.Sets!;
                host.Execute("ipset", ["restore"], block.Text);
            }
            else if (block.Language is "rules" or "rules6")
            {
                var family = block.Language == "rules" ? IpFamily.IPv4 : IpFamily.IPv6;
                var text = block.Text.StartsWith('*') ? block.Text : $"*filter\n{block.Text}COMMIT\n";
                var read = RulesetReader.Read(text, block.Place, family, ReaderSettings.Default with { Sets = sets });
                Assert.True(read.Succeeded, string.Join('\n', read.Errors));
                var taken = host.TryExecute(family == IpFamily.IPv4 ? "iptables-restore" : "ip6tables-restore", ["--test"], text);
                Assert.True(taken.ExitCode == 0, $"{block.Place}: {taken.Error}");
            }
        }
    }

    /// <summary>Pages with rules in them.</summary>
    public static TheoryData<string> Pages() => [.. Document.All.Where(page => page.Blocks.Any(block => block.Language is "rules" or "rules6" or "sets")).Select(page => page.Name)];

    private static string Table(string kind, IEnumerable<Extension> extensions)
    {
        var text = new StringBuilder($"| {kind} | options | where |\n|---|---|---|\n");
        foreach (var extension in extensions.Distinct().OrderBy(e => e.Name, StringComparer.OrdinalIgnoreCase).ThenBy(e => e.Scope.Family))
        {
            var names = string.Join(", ", extension.Aliases.Prepend(extension.Name).Select(name => $"`{name}`"));
            var options = extension.Options.Where(option => option.Unsupported is null).Select(Describe);
            text.Append($"| {names} | {string.Join(", ", options)} | {string.Join("; ", Where(extension.Scope))} |\n");
        }
        return text.ToString();
    }

    private static string Describe(OptionSpec option)
        => string.Join(" or ", option.Aliases.Prepend(option.Name).Select(name => $"`{(option.Invertible ? "[!] " : "")}--{name}`"));

    private static IEnumerable<string> Where(ExtensionScope scope)
    {
        if (scope.Family != IpFamily.None) yield return scope.Family.ToString();
        if (!scope.Tables.IsEmpty) yield return "table " + string.Join(", ", scope.Tables.Select(table => $"`{table}`"));
        if (!scope.Hooks.IsEmpty) yield return "chains of " + string.Join(", ", scope.Hooks.Select(Tables.ChainName));
        if (!scope.Protocols.IsEmpty) yield return string.Join(", ", scope.Protocols.Select(protocol => $"`-p {ProtocolNames.Name(protocol)}`"));
    }

    [GeneratedRegex("^lib(xt|ip(?<family>6?)t)_(?<name>.+)\\.so$")]
    private static partial Regex Extension();

    [GeneratedRegex("`(?<code>[^`]+)`")]
    private static partial Regex Span();
}
