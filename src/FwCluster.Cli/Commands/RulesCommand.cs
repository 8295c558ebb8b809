using System.CommandLine;
using System.Text.Json;
using FwCluster.Cli.Output;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl rules</c>: what can be done with a rule file alone, and with the rules in force.</summary>
internal static class RulesCommand
{
    private const string Sections = """
        Output:
          The rules in canonical form: what iptables-save would print after iptables-restore had read them. Where the file has
          mistakes, all of them, each with its line, a caret under the place, and what would be right.

        Examples:
          fwctl rules check rules.v4
          fwctl rules check -6 rules.v6
          iptables-save | fwctl rules check -
          fwctl rules check firewall.sh > rules.v4
              From iptables command lines to the text that iptables-restore reads.

        Exit codes:
          0   no mistake
          1   mistakes, or the file cannot be read

        """;

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "Text of iptables-save, or iptables command lines; - for the standard input." };
        var ipv6 = new Option<bool>("-6", "--ipv6") { Description = "Text that does not say its family is of ip6tables." };
        var sets = new Option<string?>("--sets")
        {
            HelpName = "FILE",
            Description = "The sets that -m set of a rule names: text of ipset save.",
        };
        var counters = new Option<bool>("--counters") { Description = "Print each rule's counters before it, as iptables-save -c." };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var check = new Command("check", "Says what is wrong with a rule file, or prints its canonical form.") { file, ipv6, sets, counters, json };
        HelpWithExamples.Describe(check, Sections);
        check.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var family = parsed.GetValue(ipv6) ? IpFamily.IPv6 : IpFamily.IPv4;
            var path = parsed.GetRequiredValue(file);
            if (path == "-" && parsed.GetValue(sets) == "-") throw new FwctlException("only one of the two files can be the standard input");
            var result = RuleFiles.Read(path, family, RuleFiles.Settings(parsed.GetValue(sets), error));
            return parsed.GetValue(json)
                ? PrintJson(result, parsed.GetValue(counters), output)
                : Print(result, parsed.GetValue(counters), output, error);
        });
        var rules = new Command("rules", "Checks rule files, applies them, and shows what was applied.") { check };
        foreach (var command in AppliedRulesCommands.Create()) rules.Subcommands.Add(command);
        HelpWithExamples.Describe(rules, "Examples:\n  fwctl rules check rules.v4\n  fwctl rules apply rules.v4\n  fwctl rules history\n\n");
        return rules;
    }

    private static int Print(ReadResult result, bool withCounters, TextWriter output, TextWriter error)
    {
        if (RuleFiles.Tell(error, result.Errors, "rules") is { } mistakes) throw new FwctlException(mistakes);
        // Text of one family is what the family's own restore program reads; where a script has both, each part says whose it is.
        var both = result is { IPv4: not null, IPv6: not null };
        if (result.IPv4 is { } ipv4) output.Write((both ? "# iptables\n" : "") + RulesetWriter.Write(ipv4, withCounters));
        if (result.IPv6 is { } ipv6) output.Write((both ? "# ip6tables\n" : "") + RulesetWriter.Write(ipv6, withCounters));
        return ExitCode.Ok;
    }

    private static int PrintJson(ReadResult result, bool withCounters, TextWriter output)
    {
        string? Canonical(Ruleset? ruleset) => ruleset is null ? null : RulesetWriter.Write(ruleset, withCounters);
        var document = new RulesDocument(
            result.Succeeded,
            [.. result.Errors.Select(e => new RuleErrorDocument(e.File, e.Line, e.Column, e.Length, e.Message, e.Hint))],
            Canonical(result.IPv4), Canonical(result.IPv6));
        output.Write(JsonSerializer.Serialize(document, DocumentContext.Output.RulesDocument) + "\n");
        return result.Succeeded ? ExitCode.Ok : ExitCode.Wrong;
    }
}
