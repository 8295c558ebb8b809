using System.CommandLine;
using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Cli.Remote;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl rules ...</c>, what works on the rules that are in force.</summary>
internal static class AppliedRulesCommands
{
    private const string Applies = """
          fwctl rules apply rules.v4 --comment "open the web server"
          fwctl rules apply rules.v4 --confirm-within 30 && fwctl rules confirm
              Rules that cut you off are gone after 30 s: you could not confirm them.
          fwctl rules apply rules.v4 --rules6 rules.v6 --sets sets --expect 41
              Only where generation 41 is in force still.
          fwctl rules apply --rules6 /dev/null
              The IPv6 rules go: all of IPv6 passes. What is not given stays as it is.
        """;

    // Somebody else's change may come between looking at what stays and applying.
    private const int Attempts = 5;

    /// <summary>The commands.</summary>
    public static IEnumerable<Command> Create() => [Apply(), Confirm(), Diff(), Show(), History(), RollBack(), Watch()];

    private static Command Apply()
    {
        var texts = new RulesArguments();
        var dryRun = new Option<bool>("--dry-run") { Description = "Change nothing; print what would change." };
        var (expect, confirm, comment) = (Expect(), ConfirmWithin(), Comment());
        return RemoteCall.Command("apply", "Puts rules in force, on every node or on none, and prints what changed.", Applies,
            call => ApplyAsync(call, texts, call.Parsed.GetValue(dryRun), call.Parsed.GetValue(expect), call.Parsed.GetValue(confirm), call.Parsed.GetValue(comment)),
            [.. texts.Symbols, dryRun, expect, confirm, comment]);
    }

    private static Command Diff()
    {
        var texts = new RulesArguments();
        return RemoteCall.Command("diff", "Prints what would change if rules were applied.", "  fwctl rules diff rules.v4",
            call => ApplyAsync(call, texts, true, null, null, null), [.. texts.Symbols]);
    }

    private static async Task<int> ApplyAsync(RemoteCall call, RulesArguments arguments, bool dryRun, ulong? expect, int? confirmWithin, string? comment)
    {
        var rules = new RulesetService.RulesetServiceClient(call.Invoker);
        var request = new ApplyRulesetRequest { Rules = arguments.Read(call.Parsed), DryRun = dryRun, Comment = comment ?? "", ConfirmWithin = Seconds(confirmWithin) };
        if (expect is { } generation) request.ExpectedGeneration = generation;
        try
        {
            var response = await ApplyAsync(rules, request, arguments.NotGiven(call.Parsed), call.Stop).ConfigureAwait(false);
            return call.Print(response, output =>
            {
                output.Write(response.Difference);
                if (dryRun) return;
                TellApplied(call.Error, response.Generation);
            });
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
        {
            var check = await rules.CheckAsync(new CheckRulesetRequest { Rules = request.Rules }, cancellationToken: call.Stop).ConfigureAwait(false);
            if (check.Valid) throw; // what was wrong was not the rules
            var mistakes = check.Errors.Select(m => new Rules.Text.RuleError(
                arguments.FileOf(call.Parsed, m.Text), (int)m.Line, (int)m.Column, (int)m.Length, m.Message, m.Hint.Length > 0 ? m.Hint : null, m.SourceLine)).ToList();
            throw new FwctlException(RuleFiles.Tell(call.Error, mistakes, "rules") + ", so nothing was changed");
        }
    }

    /// <summary>Applies, with what was not given as it is in force: a file of IPv4 rules is not to open IPv6.</summary>
    private static async Task<ApplyRulesetResponse> ApplyAsync(
        RulesetService.RulesetServiceClient rules, ApplyRulesetRequest request, List<Action<RulesetText, RulesetText>> notGiven, CancellationToken stop)
    {
        var isExpected = request.HasExpectedGeneration;
        for (var attempt = 1; ; attempt++)
        {
            if (notGiven.Count > 0)
            {
                var current = await rules.GetAsync(new(), cancellationToken: stop).ConfigureAwait(false);
                foreach (var keep in notGiven) keep(current.Rules, request.Rules);
                if (!isExpected) request.ExpectedGeneration = current.Generation.Number;
            }
            try
            {
                return await rules.ApplyAsync(request, cancellationToken: stop).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Aborted && !isExpected && notGiven.Count > 0 && attempt < Attempts)
            {
                // What is to stay may be something else now.
            }
        }
    }

    private static Command Confirm()
    {
        var number = new Argument<ulong?>("GENERATION") { Description = "The generation that apply told [the one that waits].", Arity = ArgumentArity.ZeroOrOne };
        return RemoteCall.Command("confirm", "Keeps rules that were applied with --confirm-within.", "  fwctl rules confirm", async call =>
        {
            var rules = new RulesetService.RulesetServiceClient(call.Invoker);
            var generation = call.Parsed.GetValue(number) ?? (await rules.GetAsync(new(), cancellationToken: call.Stop).ConfigureAwait(false)).Generation.Number;
            var response = await rules.ConfirmAsync(new() { Generation = generation }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, _ => call.Error.WriteLine($"generation {response.Generation.Number} stays"));
        }, number);
    }

    private static Command Show()
    {
        var number = new Argument<ulong>("GENERATION") { Description = "The generation [the one in force].", Arity = ArgumentArity.ZeroOrOne };
        var ipv6 = new Option<bool>("-6", "--ipv6") { Description = "Print the IPv6 rules." };
        var sets = new Option<bool>("--sets") { Description = "Print the sets." };
        var asApplied = new Option<bool>("--as-applied") { Description = "Print the text as it was applied, not the canonical form." };
        return RemoteCall.Command("show", "Prints rules as iptables-save does.", "  fwctl rules show\n  fwctl rules show 41 -6", async call =>
        {
            var response = await new RulesetService.RulesetServiceClient(call.Invoker)
                .GetAsync(new() { Generation = call.Parsed.GetValue(number) }, cancellationToken: call.Stop).ConfigureAwait(false);
            var text = call.Parsed.GetValue(asApplied) ? response.Rules : response.Canonical;
            return call.Print(response, output => output.Write(call.Parsed.GetValue(sets) ? text.Sets : call.Parsed.GetValue(ipv6) ? text.Ipv6 : text.Ipv4));
        }, number, ipv6, sets, asApplied);
    }

    private static Command History()
    {
        var limit = new Option<uint>("--limit", "-n") { HelpName = "N", Description = "At most so many [100]." };
        return RemoteCall.Command("history", "Prints the generations, the latest first.", "  fwctl rules history -n 10", async call =>
        {
            var response = await new RulesetService.RulesetServiceClient(call.Invoker)
                .HistoryAsync(new() { Limit = call.Parsed.GetValue(limit) }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, output =>
            {
                foreach (var generation in response.Generations) output.Write(Line(generation) + "\n");
            });
        }, limit);
    }

    private static Command RollBack()
    {
        var number = new Argument<ulong>("GENERATION") { Description = "The generation whose rules are to come back [the one before].", Arity = ArgumentArity.ZeroOrOne };
        var (expect, confirm, comment) = (Expect(), ConfirmWithin(), Comment());
        return RemoteCall.Command("rollback", "Puts the rules of an older generation in force, as a new one.", "  fwctl rules rollback\n  fwctl rules rollback 41", async call =>
        {
            var request = new RollBackRulesetRequest
            {
                Generation = call.Parsed.GetValue(number),
                Comment = call.Parsed.GetValue(comment) ?? "",
                ConfirmWithin = Seconds(call.Parsed.GetValue(confirm)),
            };
            if (call.Parsed.GetValue(expect) is { } expected) request.ExpectedGeneration = expected;
            var response = await new RulesetService.RulesetServiceClient(call.Invoker).RollBackAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, output =>
            {
                output.Write(response.Difference);
                TellApplied(call.Error, response.Generation);
            });
        }, number, expect, confirm, comment);
    }

    private static Command Watch() => RemoteCall.Command("watch", "Prints the generation in force, and each change, until Ctrl-C.", "  fwctl rules watch --json", async call =>
    {
        using var watch = new RulesetService.RulesetServiceClient(call.Invoker).Watch(new(), cancellationToken: call.Stop);
        await foreach (var told in watch.ResponseStream.ReadAllAsync(call.Stop).ConfigureAwait(false))
        {
            call.Print(told, output => output.Write($"{told.Kind.ToString().ToUpperInvariant(),-10} {Line(told.Generation)}\n"));
            await call.Output.FlushAsync(call.Stop).ConfigureAwait(false);
        }
        return ExitCode.Ok;
    });

    private static void TellApplied(TextWriter error, Generation generation)
    {
        error.WriteLine($"generation {generation.Number} is in force");
        if (generation.ConfirmBy is { } until)
            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"it goes at {until.ToDateTimeOffset():HH:mm:ss} UTC unless you say: fwctl rules confirm {generation.Number}"));
    }

    private static string Line(Generation generation)
    {
        var applied = generation.Applied?.ToDateTimeOffset() ?? default;
        var restores = generation.Restores > 0 ? $" (the rules of {generation.Restores})" : "";
        var waits = generation.ConfirmBy is null ? "" : " (waits to be confirmed)";
        return string.Create(CultureInfo.InvariantCulture, $"{generation.Number,6}  {applied:yyyy-MM-dd HH:mm:ss}  {generation.Author,-16}{restores}{waits}  {generation.Comment}").TrimEnd();
    }

    private static Duration? Seconds(int? seconds) => seconds is { } some ? Duration.FromTimeSpan(TimeSpan.FromSeconds(some)) : null;

    private static Option<ulong?> Expect() => new("--expect") { HelpName = "GENERATION", Description = "Only where this generation is in force." };

    private static Option<int?> ConfirmWithin() => new("--confirm-within") { HelpName = "SECONDS", Description = "The rules before come back unless 'fwctl rules confirm' is said in time, 1 to 3600." };

    private static Option<string?> Comment() => new("--comment") { HelpName = "TEXT", Description = "What the change is for." };

    /// <summary>The files of rules that a command takes.</summary>
    private sealed class RulesArguments
    {
        private readonly Argument<string?> _rules = new("FILE") { Description = "The IPv4 rules: text of iptables-save, or iptables command lines; - for the standard input [those in force].", Arity = ArgumentArity.ZeroOrOne };
        private readonly Option<string?> _rules6 = new("--rules6") { HelpName = "FILE", Description = "The IPv6 rules: text of ip6tables-save [those in force]." };
        private readonly Option<string?> _sets = new("--sets") { HelpName = "FILE", Description = "The sets that -m set of a rule names: text of ipset save [those in force]." };

        public IEnumerable<Symbol> Symbols => [_rules, _rules6, _sets];

        public RulesetText Read(ParseResult parsed)
        {
            if (parsed.GetValue(_rules) is null && parsed.GetValue(_rules6) is null) throw new FwctlException("there are no rules: give a FILE, or --rules6 FILE");
            string Text(string? file) => file is null ? "" : RuleFiles.ReadText(file);
            return new RulesetText { Ipv4 = Text(parsed.GetValue(_rules)), Ipv6 = Text(parsed.GetValue(_rules6)), Sets = Text(parsed.GetValue(_sets)) };
        }

        /// <summary>For each text that was not given, what keeps the one in force.</summary>
        public List<Action<RulesetText, RulesetText>> NotGiven(ParseResult parsed)
        {
            var keep = new List<Action<RulesetText, RulesetText>>();
            if (parsed.GetValue(_rules) is null) keep.Add((inForce, wanted) => wanted.Ipv4 = inForce.Ipv4);
            if (parsed.GetValue(_rules6) is null) keep.Add((inForce, wanted) => wanted.Ipv6 = inForce.Ipv6);
            if (parsed.GetValue(_sets) is null) keep.Add((inForce, wanted) => wanted.Sets = inForce.Sets);
            return keep;
        }

        public string FileOf(ParseResult parsed, string text) => text switch
        {
            "ipv6" => parsed.GetValue(_rules6),
            "sets" => parsed.GetValue(_sets),
            _ => parsed.GetValue(_rules),
        } ?? text;
    }
}
