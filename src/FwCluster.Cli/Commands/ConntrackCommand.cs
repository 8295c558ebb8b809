using System.CommandLine;
using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Cli.Output;
using FwCluster.Cli.Remote;
using Grpc.Core;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl conntrack</c> and <c>fwctl expect</c>: what is tracked.</summary>
internal static class ConntrackCommand
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> Create()
    {
        var conntrack = new Command("conntrack", "The connections that are tracked.") { List(), Count(), Watch(), Delete(), Statistics() };
        HelpWithExamples.Describe(conntrack, "Examples:\n  fwctl conntrack list -p tcp --dport 21 --state ESTABLISHED\n  fwctl conntrack watch\n  fwctl conntrack delete -s 192.0.2.7\n\n");
        var expect = new Command("expect", "The connections that helpers have announced.") { Expectations(), DeleteExpectations() };
        HelpWithExamples.Describe(expect, "Examples:\n  fwctl expect list\n\n");
        return [conntrack, expect];
    }

    private static Command List()
    {
        var filter = new FilterOptions();
        var limit = new Option<ulong>("--limit", "-n") { HelpName = "N", Description = "At most so many." };
        return RemoteCall.Command("list", "Prints connections, as conntrack -L.", "  fwctl conntrack list -p udp --dport 53\n  fwctl conntrack list --json | jq .original.source", async call =>
        {
            var request = new ListConnectionsRequest { Filter = filter.Read(call.Parsed), Limit = call.Parsed.GetValue(limit) };
            using var pages = new ConntrackService.ConntrackServiceClient(call.Invoker).List(request, cancellationToken: call.Stop);
            var code = ExitCode.Ok;
            await foreach (var page in pages.ResponseStream.ReadAllAsync(call.Stop).ConfigureAwait(false))
            {
                foreach (var connection in page.Connections) call.Print(connection, output => output.Write(ConntrackText.Of(connection) + "\n"));
                if (page.Failures.Count > 0) code = call.Tell(page.Failures);
            }
            return code;
        }, [.. filter.Symbols, limit]);
    }

    private static Command Count()
    {
        var filter = new FilterOptions();
        return RemoteCall.Command("count", "Prints how many connections there are.", "  fwctl conntrack count\n  fwctl conntrack count --unreplied", async call =>
        {
            var response = await new ConntrackService.ConntrackServiceClient(call.Invoker)
                .CountAsync(new() { Filter = filter.Read(call.Parsed) }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output => output.Write(string.Create(CultureInfo.InvariantCulture, $"{response.Count}\n")));
        }, [.. filter.Symbols]);
    }

    private static Command Watch()
    {
        var filter = new FilterOptions();
        return RemoteCall.Command("watch", "Prints what happens to connections, as conntrack -E, until Ctrl-C.", "  fwctl conntrack watch -p tcp --dport 21", async call =>
        {
            using var watch = new ConntrackService.ConntrackServiceClient(call.Invoker).Watch(new() { Filter = filter.Read(call.Parsed) }, cancellationToken: call.Stop);
            await foreach (var told in watch.ResponseStream.ReadAllAsync(call.Stop).ConfigureAwait(false))
            {
                if (told.Lost > 0 && !call.IsJson) call.Error.WriteLine($"fwctl: {told.Lost} events were lost: they came too fast");
                if (told.Kind == ConntrackEvent.Types.Kind.NodeLost && !call.IsJson) call.Error.WriteLine($"fwctl: events of node {told.Node} are missing from now on: {told.Reason}");
                if (told.Kind == ConntrackEvent.Types.Kind.NodeFound && !call.IsJson) call.Error.WriteLine($"fwctl: events of node {told.Node} are told from now on");
                call.Print(told, output =>
                {
                    if (ConntrackText.Of(told) is { } line) output.Write(line + "\n");
                });
                await call.Output.FlushAsync(call.Stop).ConfigureAwait(false);
            }
            return ExitCode.Ok;
        }, [.. filter.Symbols]);
    }

    private static Command Delete()
    {
        var filter = new FilterOptions();
        var all = All();
        return RemoteCall.Command("delete", "Ends tracking of connections, as conntrack -D.", "  fwctl conntrack delete -s 192.0.2.7\n  fwctl conntrack delete --all", async call =>
        {
            var request = new DeleteConnectionsRequest { Filter = filter.Read(call.Parsed), All = call.Parsed.GetValue(all) };
            var response = await new ConntrackService.ConntrackServiceClient(call.Invoker).DeleteAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, _ => call.Error.WriteLine($"{response.Deleted} connections were deleted"));
        }, [.. filter.Symbols, all]);
    }

    private static Command Statistics()
    {
        var node = NodeCommands.OfNode();
        return RemoteCall.Command("stats", "Prints what tracking has counted, a line a shard, as conntrack -S.", "  fwctl conntrack stats --node gateway2", async call =>
        {
            var request = new ConntrackStatisticsRequest { Node = call.Parsed.GetValue(node) ?? "" };
            var response = await new ConntrackService.ConntrackServiceClient(call.Invoker).StatisticsAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output =>
            {
                foreach (var s in response.Shards)
                {
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"node={s.Node} shard={s.Shard} entries={s.Entries} found={s.Found} insert={s.Inserted} remove={s.Removed} "
                        + $"early_drop={s.EarlyDropped} expect_create={s.ExpectationsCreated} expect_new={s.ExpectationsMatched}"));
                    foreach (var (reason, count) in s.Failures.OrderBy(f => f.Key, StringComparer.Ordinal)) output.Write(string.Create(CultureInfo.InvariantCulture, $" failed_{reason}={count}"));
                    output.Write('\n');
                }
            });
        }, node);
    }

    private static Command Expectations()
    {
        var filter = new FilterOptions();
        return RemoteCall.Command("list", "Prints expectations, as conntrack -L expect. The filter is about their masters.", "  fwctl expect list -s 192.0.2.7", async call =>
        {
            var response = await new ConntrackService.ConntrackServiceClient(call.Invoker)
                .ListExpectationsAsync(new() { Master = filter.Read(call.Parsed) }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output =>
            {
                foreach (var expectation in response.Expectations) output.Write(ConntrackText.Of(expectation) + "\n");
            });
        }, [.. filter.Symbols]);
    }

    private static Command DeleteExpectations()
    {
        var filter = new FilterOptions();
        var all = All();
        return RemoteCall.Command("delete", "Takes expectations away. The filter is about their masters.", "  fwctl expect delete --all", async call =>
        {
            var request = new DeleteExpectationsRequest { Master = filter.Read(call.Parsed), All = call.Parsed.GetValue(all) };
            var response = await new ConntrackService.ConntrackServiceClient(call.Invoker).DeleteExpectationsAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, _ => call.Error.WriteLine($"{response.Deleted} expectations were deleted"));
        }, [.. filter.Symbols, all]);
    }

    private static Option<bool> All() => new("--all") { Description = "All of them: has to be said where there is no filter." };

    /// <summary>The words of a filter, conntrack's where it has them.</summary>
    private sealed class FilterOptions
    {
        private readonly Option<string?> _family = Text("--family", "-f", "FAMILY", "ipv4 or ipv6.");
        private readonly Option<string?> _protocol = Text("--proto", "-p", "PROTO", "tcp, udp, icmp and so on, or a number.");
        private readonly Option<string?> _source = Text("--src", "-s", "ADDR", "Source of the original direction: 192.0.2.1, 192.0.2.0/24 or 192.0.2.1-192.0.2.9.");
        private readonly Option<string?> _destination = Text("--dst", "-d", "ADDR", "Destination of the original direction.");
        private readonly Option<string?> _address = Text("--addr", null, "ADDR", "Source or destination.");
        private readonly Option<string?> _sourcePort = Text("--sport", null, "PORT", "Source port: 21 or 1024-65535.");
        private readonly Option<string?> _destinationPort = Text("--dport", null, "PORT", "Destination port.");
        private readonly Option<string[]> _states = new("--state") { HelpName = "STATE", Description = "ESTABLISHED, TIME_WAIT and so on (repeat it for each that will do)." };
        private readonly Option<string[]> _status = new("--status", "-u") { HelpName = "STATUS", Description = "ASSURED, SEEN_REPLY or EXPECTED (repeat it for each that must be set)." };
        private readonly Option<bool> _unreplied = new("--unreplied") { Description = "No packet has been seen in the reply direction." };
        private readonly Option<string?> _helper = Text("--helper", null, "NAME", "The helper that reads it.");
        private readonly Option<string?> _mark = Text("--mark", "-m", "MARK[/MASK]", "The mark.");
        private readonly Option<uint?> _zone = new("--zone", "-w") { HelpName = "ZONE", Description = "The zone." };
        private readonly Option<string?> _node = Text("--node", null, "NODE", "The node that has it.");
        private readonly Option<uint?> _shard = new("--shard") { HelpName = "SHARD", Description = "The shard that has it." };

        public FilterOptions()
        {
            _family.AcceptOnlyFromAmong("ipv4", "ipv6");
            _status.AcceptOnlyFromAmong("ASSURED", "SEEN_REPLY", "EXPECTED");
        }

        public IEnumerable<Symbol> Symbols =>
        [
            _family, _protocol, _source, _destination, _address, _sourcePort, _destinationPort, _states, _status, _unreplied, _helper, _mark, _zone, _node, _shard,
        ];

        public ConnectionFilter Read(ParseResult parsed)
        {
            var filter = new ConnectionFilter
            {
                Family = parsed.GetValue(_family) switch
                {
                    "ipv4" => Family.Ipv4,
                    "ipv6" => Family.Ipv6,
                    _ => Family.Unspecified,
                },
                Protocol = parsed.GetValue(_protocol) ?? "",
                Source = parsed.GetValue(_source) ?? "",
                Destination = parsed.GetValue(_destination) ?? "",
                Address = parsed.GetValue(_address) ?? "",
                SourcePort = parsed.GetValue(_sourcePort) ?? "",
                DestinationPort = parsed.GetValue(_destinationPort) ?? "",
                Unreplied = parsed.GetValue(_unreplied),
                Helper = parsed.GetValue(_helper) ?? "",
                Mark = parsed.GetValue(_mark) ?? "",
                Node = parsed.GetValue(_node) ?? "",
            };
            filter.States.Add(parsed.GetValue(_states) ?? []);
            filter.Status.Add((parsed.GetValue(_status) ?? []).Select(status => status switch
            {
                "ASSURED" => ConnectionStatus.Assured,
                "SEEN_REPLY" => ConnectionStatus.SeenReply,
                _ => ConnectionStatus.Expected,
            }));
            if (parsed.GetValue(_zone) is { } zone) filter.Zone = zone;
            if (parsed.GetValue(_shard) is { } shard) filter.Shard = shard;
            return filter;
        }

        private static Option<string?> Text(string name, string? alias, string helpName, string description)
        {
            var option = new Option<string?>(name) { HelpName = helpName, Description = description };
            if (alias is not null) option.Aliases.Add(alias);
            return option;
        }
    }
}
