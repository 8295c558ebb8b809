using System.Collections;
using System.Text.RegularExpressions;
using FwCluster.Node.Configuration;
using FwCluster.Referee;
using FwCluster.Rules.Text;
using YamlDotNet.RepresentationModel;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>
/// README.md and every page of docs: each block of commands is run by a test or is checked here against the programs, and so are the commands, options, settings, metrics and files
/// that sentences name.
/// </summary>
public sealed partial class DocsTests
{
    /// <summary>The pages whose <c>bash</c> blocks a test pastes into terminals; which test.</summary>
    private static readonly Dictionary<string, string> RunBy = new()
    {
        ["README.md"] = nameof(TourTests),
        ["docs/tutorial.md"] = nameof(PrintedTests),
        ["docs/install-host.md"] = nameof(InstallTests),
        ["docs/install-gateways.md"] = nameof(InstallGatewaysTests),
        ["docs/why-dropped.md"] = nameof(InstallTests),
        ["docs/operations.md"] = nameof(InstallTests),
    };

    /// <summary>Steps of traces, whose names look like settings'.</summary>
    private static readonly HashSet<string> TraceNames = ["cluster.call"];

    public static TheoryData<string> Pages() => [.. Document.All.Select(page => page.Name)];

    [Fact]
    public void PagesWithBlocksThatAreRunAreRun()
        => Assert.Equal(RunBy.Keys.Order(StringComparer.Ordinal),
            Document.All.Where(page => page.Blocks.Any(block => block.Language == "bash")).Select(page => page.Name).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Pages))]
    public void EachBlockIsOfAKindThatIsRunOrChecked(string name)
        => Assert.All(Document.Of(name).Blocks, block => Assert.True(
            block.Language is "" or "bash" or "yaml" or "rules" or "rules6" or "sets" or "text", $"{block.Place}: what is {block.Language}?"));

    [Theory]
    [MemberData(nameof(Pages))]
    public void CommandsOfBlocksAreRight(string name)
    {
        var wrong = new List<string>();
        foreach (var block in Document.Of(name).Blocks.Where(block => block.IsCommands))
        {
            var commands = ShellCommands.Of(block.Text);
            Assert.True(commands.Count > 0, $"{block.Place}: this block has no command; its kind is missing behind the fence");
            wrong.AddRange(commands.Select(CommandCheck.WhatIsWrong).OfType<string>().Select(problem => $"{block.Place}: {problem}"));
            var rules = block.Text.Split('\n').Where(line => RuleCommand().IsMatch(line)).ToList();
            var read = RulesetReader.Read(string.Concat(rules.Select(line => line + "\n")), block.Place, Packets.IpFamily.IPv4);
            if (rules.Count > 0) wrong.AddRange(read.Errors.Select(error => error.ToString()));
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void SettingsOfBlocksAreTaken(string name)
    {
        foreach (var block in Document.Of(name).Blocks.Where(block => block.Language == "yaml"))
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(block.Text));
            var keys = ((YamlMappingNode)yaml.Documents[0].RootNode).Children.Keys.Select(key => key.ToString()).ToList();
            switch (block.Note)
            {
                case "of Prometheus":
                    break;
                case "of the chart":
                    Assert.All(Paths((YamlMappingNode)yaml.Documents[0].RootNode, ""), path => Assert.True(ProductWords.IsChartValue(path), $"{block.Place}: the chart has no value {path}"));
                    break;
                case "" when keys.Contains("contexts"):
                    CheckContexts(block, (YamlMappingNode)yaml.Documents[0].RootNode);
                    break;
                case "":
                    CheckSettings(block);
                    break;
                default:
                    Assert.Fail($"{block.Place}: what is '{block.Note}'?");
                    break;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void CodeOfSentencesIsRight(string name)
    {
        var wrong = new List<string>();
        foreach (var (place, code) in Document.Of(name).Spans.Concat(TextLines(name)))
        {
            var words = code.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var problem = words[0] switch
            {
                "fwctl" => ProductWords.WrongInPartOfFwctl(words[1..].Select(word => word.Trim('[', ']', '.')).Where(word => word.Length > 0)),
                "fwclusterd" => ProductWords.WrongInDaemon([.. words[1..].Select(word => word.Trim('[', ']', '.'))]),
                _ when Metric().IsMatch(code) && !ProductWords.IsMetric(Metric().Match(code).Value) => $"there is no metric {code}",
                _ when Setting().Match(code) is { Success: true } setting && !TraceNames.Contains(code) && !ProductWords.IsSetting(setting.Groups["path"].Value) && !ProductWords.IsChartValue(setting.Groups["path"].Value)
                    => $"there is no setting {code}",
                _ => null,
            };
            if (problem is not null) wrong.Add($"{place}: {problem}");
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void LinksLeadSomewhere(string name)
    {
        var page = Document.Of(name);
        foreach (var (place, target) in page.Links.Where(link => !link.Target.Contains("://", StringComparison.Ordinal)))
        {
            var parts = target.Split('#', 2);
            var path = parts[0].Length == 0 ? Path.Combine(Repository.Root, name) : Path.GetFullPath(Path.Combine(page.Folder, parts[0]));
            Assert.True(File.Exists(path) || Directory.Exists(path), $"{place}: there is no {target}");
            if (parts.Length < 2 || Document.All.FirstOrDefault(other => Path.Combine(Repository.Root, other.Name) == path) is not { } linked) continue;
            Assert.True(linked.Anchors.Contains(parts[1]), $"{place}: {linked.Name} has no heading #{parts[1]}");
        }
    }

    [Fact]
    public void EachPageIsInTheIndex()
    {
        var index = Document.Of("docs/README.md").Links.Select(link => "docs/" + link.Target).ToHashSet();
        var missing = Document.All.Select(page => page.Name).Where(name => name is not ("README.md" or "docs/README.md")).Except(index).ToList();
        Assert.True(missing.Count == 0, "docs/README.md does not name " + string.Join(", ", missing));
        Assert.Contains(Document.Of("README.md").Links, link => link.Target == "docs/README.md");
    }

    /// <summary>The checks themselves: what is misspelt is found.</summary>
    [Theory]
    [InlineData("fwctl rules aply rules.v4")]
    [InlineData("fwctl rules apply rules.v4 --confirm-witin 30")]
    [InlineData("for n in 1 2; do fwctl pki nod gateway$n; done")]
    [InlineData("echo \"$(fwctl cluster statsu)\" | grep x")]
    [InlineData("sudo fwclusterd --confg x")]
    [InlineData("fwclusterd --set queue.nunber=3")]
    [InlineData("helm install fw charts/fwcluster --set image.repositry=x")]
    [InlineData("helm install fw charts/fwclutser --set image.repository=x")]
    [InlineData("kubctl get pods")]
    [InlineData("packaging/build-dep.sh")]
    [InlineData("dotnet run --project src/FwCluster.Cli -- reply x")]
    [InlineData("dotnet run --project tests/FwCluster.Fuz -- run")]
    public void WhatIsMisspeltIsFound(string command) => Assert.Contains(ShellCommands.Of(command), words => CommandCheck.WhatIsWrong(words) is not null);

    [Theory]
    [InlineData("queue.nunber: 3")]
    [InlineData("queue:\n  nunber: 3")]
    [InlineData("mode: inlin")]
    public void ASettingThatThereIsNotIsFound(string yaml)
        => Assert.Throws<SettingsException>(() => CheckSettings(new("here", "yaml", yaml + "\n")));

    private static void CheckSettings(DocumentBlock block)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, block.Text);
            SettingsReader.Read(file, new Hashtable(), []);
        }
        catch (SettingsException e)
        {
            throw new SettingsException($"{block.Place}: {e.Message}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void CheckContexts(DocumentBlock block, YamlMappingNode root)
    {
        var file = Path.GetTempFileName();
        try
        {
            // Endpoints where nobody is: the file has been read by then.
            File.WriteAllText(file, block.Text);
            var context = ((YamlMappingNode)root.Children["contexts"]).Children.Keys.First().ToString();
            var result = Referee.Lab.Command.TryRun("env", [$"FWCTL_CONFIG={file}", Path.Combine(AppContext.BaseDirectory, "fwctl"), "cluster", "status", "--context", context]);
            Assert.False(Regex.IsMatch(result.Error, "a context has no|there is no context|has no endpoints|is no endpoint", RegexOptions.None), $"{block.Place}: {result.Error}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static IEnumerable<string> Paths(YamlMappingNode node, string above)
    {
        foreach (var (key, value) in node.Children)
        {
            var path = above.Length == 0 ? key.ToString() : $"{above}.{key}";
            yield return path;
            if (value is YamlMappingNode inner)
                foreach (var below in Paths(inner, path)) yield return below;
        }
    }

    private static IEnumerable<(string Place, string Code)> TextLines(string name)
        => Document.Of(name).Blocks.Where(block => block.Language == "text")
            .SelectMany(block => block.Text.Split('\n').Where(line => line.StartsWith("fwctl ", StringComparison.Ordinal) || line.StartsWith("fwclusterd ", StringComparison.Ordinal)).Select(line => (block.Place, line)));

    [GeneratedRegex("^fwcluster_[a-z_]+$")]
    private static partial Regex Metric();

    // Not names of files.
    [GeneratedRegex(@"^(?<path>(rules|queue|mirror|tracking|cluster|log|drops|state|metrics|control|gateways|image|health)\.(?!v4|v6|sock|md|rules|yaml)[A-Za-z][\w.*-]*)([:=].*)?$")]
    private static partial Regex Setting();

    [GeneratedRegex("^ip6?tables -[AIPN] ")]
    private static partial Regex RuleCommand();
}
