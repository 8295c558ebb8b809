using System.Collections.Immutable;
using System.CommandLine;
using FwCluster.Api.V1;
using FwCluster.Cli.Remote;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;
using RuleCounters = FwCluster.Rules.Model.RuleCounters;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl list</c> and <c>fwctl counters</c>: rules with what they have counted.</summary>
internal static class CountersCommands
{
    private const string Examples = """
          fwctl list
          fwctl list -6 -t mangle
          fwctl list --zero
              Reads and zeroes in one step.
        """;

    /// <summary>The commands.</summary>
    public static IEnumerable<Command> Create()
    {
        var counters = new Command("counters", "What rules have counted, over all nodes or of one.") { List("list"), Zero() };
        HelpWithExamples.Describe(counters, "Examples:\n  fwctl counters list\n  fwctl counters zero --chain FORWARD\n\n");
        return [List("list"), counters];
    }

    private static Command List(string name)
    {
        var selection = new SelectionOptions();
        var zero = new Option<bool>("--zero", "-Z") { Description = "Zero the counters in the same step." };
        return RemoteCall.Command(name, "Prints chains, rules and what they have counted, as iptables -L -v -n -x.", Examples, async call =>
        {
            var client = new CountersService.CountersServiceClient(call.Invoker);
            var selected = selection.Read(call.Parsed);
            ReadCountersResponse read;
            if (call.Parsed.GetValue(zero))
            {
                var zeroed = await client.ReadAndZeroAsync(new() { Selection = selected }, cancellationToken: call.Stop).ConfigureAwait(false);
                read = new ReadCountersResponse { Generation = zeroed.Generation, Chains = { zeroed.Chains }, Failures = { zeroed.Failures } };
            }
            else
            {
                read = await client.ReadAsync(new() { Selection = selected }, cancellationToken: call.Stop).ConfigureAwait(false);
            }
            if (call.IsJson)
            {
                call.Print(read);
                return call.Tell(read.Failures);
            }
            var rules = read.Generation == 0
                ? new RulesetText()
                : (await new RulesetService.RulesetServiceClient(call.Invoker).GetAsync(new() { Generation = read.Generation }, cancellationToken: call.Stop).ConfigureAwait(false)).Canonical;
            Write(call.Output, rules, read, selected);
            return call.Tell(read.Failures);
        }, [.. selection.Symbols, zero]);
    }

    private static Command Zero()
    {
        var selection = new SelectionOptions();
        return RemoteCall.Command("zero", "Zeroes counters, as iptables -Z.", "  fwctl counters zero\n  fwctl counters zero -t filter --chain INPUT", async call =>
        {
            var request = new ZeroCountersRequest { Selection = selection.Read(call.Parsed, allTables: true) };
            var response = await new CountersService.CountersServiceClient(call.Invoker).ZeroAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, _ => { });
        }, [.. selection.Symbols]);
    }

    private static void Write(TextWriter output, RulesetText text, ReadCountersResponse read, CounterSelection selection)
    {
        var settings = ReaderSettings.Default;
        if (text.Sets.Length > 0 && SetReader.Read(text.Sets, "sets").Sets is { } sets) settings = settings with { Sets = sets };
        var family = selection.Family == Family.Ipv6 ? IpFamily.IPv6 : IpFamily.IPv4;
        var result = RulesetReader.Read(family == IpFamily.IPv6 ? text.Ipv6 : text.Ipv4, "the node's rules", family, settings);
        if (!result.Succeeded) throw new FwctlException("the node has rules that this fwctl does not understand: is it older?");
        var ruleset = RuleFiles.WithFilter(result.Of(family), family);
        var compiled = CompiledRuleset.Compile(ruleset with { Tables = [.. ruleset.Tables.Select(table => Counted(table, read.Chains, selection))] });
        var id = Enum.GetValues<TableId>().Single(table => table.Name() == selection.Table);
        ChainListing.Write(output, compiled, compiled.CreateCounters(fromText: true), id);
    }

    /// <summary>A table with the counters that were read, and of its chains those that are meant.</summary>
    private static Table Counted(Table table, IEnumerable<ChainCounters> read, CounterSelection selection)
    {
        var chains = table.Chains.Select(chain => read.FirstOrDefault(c => c.Table == table.Name && c.Chain == chain.Name) is not { } counted
            ? chain
            : chain with
            {
                PolicyCounters = new RuleCounters(counted.PolicyPackets, counted.PolicyBytes),
                Rules = [.. chain.Rules.Zip(counted.Rules, (rule, c) => rule with { Counters = new RuleCounters(c.Packets, c.Bytes) })],
            });
        return table with { Chains = [.. chains.Where(c => selection.Chain.Length == 0 || c.Name == selection.Chain)] };
    }

    private sealed class SelectionOptions
    {
        private readonly Option<string?> _table = new("--table", "-t") { HelpName = "TABLE", Description = "raw, mangle or filter [list: filter; zero: all]." };
        private readonly Option<string?> _chain = new("--chain") { HelpName = "CHAIN", Description = "The chain [all]." };
        private readonly Option<bool> _ipv6 = new("-6", "--ipv6") { Description = "The IPv6 rules." };
        private readonly Option<string?> _node = new("--node") { HelpName = "NODE", Description = "Of one node, not of all." };

        public SelectionOptions() => _table.AcceptOnlyFromAmong("raw", "mangle", "filter");

        public ImmutableArray<Symbol> Symbols => [_table, _chain, _ipv6, _node];

        public CounterSelection Read(ParseResult parsed, bool allTables = false) => new()
        {
            Node = parsed.GetValue(_node) ?? "",
            Family = parsed.GetValue(_ipv6) ? Family.Ipv6 : allTables ? Family.Unspecified : Family.Ipv4,
            Table = parsed.GetValue(_table) ?? (allTables ? "" : "filter"),
            Chain = parsed.GetValue(_chain) ?? "",
        };
    }
}
