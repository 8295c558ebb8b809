using System.CommandLine;
using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Cli.Remote;
using Grpc.Core;

namespace FwCluster.Cli.Commands;

/// <summary><c>fwctl cluster</c>, <c>helper</c>, <c>ports</c> and <c>settings</c>.</summary>
internal static class NodeCommands
{
    /// <summary>The commands.</summary>
    public static IEnumerable<Command> Create() => [Cluster(), Helper(), Ports(), Settings()];

    private static Command Cluster()
    {
        var status = RemoteCall.Command("status", "Prints the nodes and how they are.", "  fwctl cluster status", async call =>
        {
            var response = await new ClusterService.ClusterServiceClient(call.Invoker).StatusAsync(new(), cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, output => WriteNodes(output, response.Nodes));
        });
        var watch = RemoteCall.Command("watch", "Prints the nodes, and again whenever something about them changes, until Ctrl-C.", "  fwctl cluster watch", async call =>
        {
            using var told = new ClusterService.ClusterServiceClient(call.Invoker).Watch(new(), cancellationToken: call.Stop);
            await foreach (var response in told.ResponseStream.ReadAllAsync(call.Stop).ConfigureAwait(false))
            {
                call.Print(response, output =>
                {
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss}\n"));
                    WriteNodes(output, response.Nodes);
                    output.Write('\n');
                });
                await call.Output.FlushAsync(call.Stop).ConfigureAwait(false);
            }
            return ExitCode.Ok;
        });
        var shards = RemoteCall.Command("shards", "Prints the shards and where they are.", "  fwctl cluster shards", async call =>
        {
            var response = await new ClusterService.ClusterServiceClient(call.Invoker).ListShardsAsync(new(), cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output =>
            {
                output.Write($"{"SHARD",5} {"NODE",-16} {"CONNECTIONS",11}\n");
                foreach (var shard in response.Shards) output.Write(string.Create(CultureInfo.InvariantCulture, $"{shard.Shard_,5} {shard.Node,-16} {shard.Connections,11}\n"));
            });
        });
        var node = new Argument<string>("NODE") { Description = "The node." };
        var undo = new Option<bool>("--undo") { Description = "The node is to take shards again." };
        var drain = RemoteCall.Command("drain", "Has a node hand over its shards, so that it can be stopped; until then it decides packets.",
            "  fwctl cluster drain gateway2\n  fwctl cluster drain gateway2 --undo", async call =>
        {
            var request = new DrainNodeRequest { Node = call.Parsed.GetRequiredValue(node), Undo = call.Parsed.GetValue(undo) };
            var response = await new ClusterService.ClusterServiceClient(call.Invoker).DrainAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, _ => call.Error.WriteLine(request.Undo ? $"{request.Node} takes shards again" : $"{response.Shards} shards moved"));
        }, node, undo);
        var command = new Command("cluster", "The nodes and the shards.") { status, shards, watch, drain };
        HelpWithExamples.Describe(command, "Examples:\n  fwctl cluster status\n  fwctl cluster watch --json\n  fwctl cluster drain gateway2\n\n");
        return command;
    }

    private static Command Helper()
    {
        var list = RemoteCall.Command("list", "Prints the helpers.", "  fwctl helper list", async call =>
        {
            var response = await new HelperService.HelperServiceClient(call.Invoker).ListAsync(new(), cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output =>
            {
                foreach (var helper in response.Helpers) output.Write(Line(helper));
            });
        });
        var (loaded, unloaded) = (Name(), Name());
        var load = RemoteCall.Command("load", "Lets a helper attach to new connections, as modprobe.", "  fwctl helper load ftp", async call =>
        {
            var response = await new HelperService.HelperServiceClient(call.Invoker)
                .LoadAsync(new() { Name = call.Parsed.GetRequiredValue(loaded) }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output => output.Write(Line(response.Helper)));
        }, loaded);
        var unload = RemoteCall.Command("unload", "Takes a helper from its connections, as modprobe -r.", "  fwctl helper unload ftp", async call =>
        {
            var response = await new HelperService.HelperServiceClient(call.Invoker)
                .UnloadAsync(new() { Name = call.Parsed.GetRequiredValue(unloaded) }, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output => output.Write(Line(response.Helper)));
        }, unloaded);
        var command = new Command("helper", "The helpers, which read protocols that announce further connections.") { list, load, unload };
        HelpWithExamples.Describe(command, "Examples:\n  fwctl helper list\n\n");
        return command;
    }

    private static Command Ports()
    {
        var node = OfNode();
        return RemoteCall.Command("ports", "Prints the ports, where packets come from, and what they could not take.", "  fwctl ports\n  fwctl ports --node gateway2", async call =>
        {
            var request = new ListPortsRequest { Node = call.Parsed.GetValue(node) ?? "" };
            var response = await new CaptureService.CaptureServiceClient(call.Invoker).ListPortsAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output =>
            {
                foreach (var port in response.Ports)
                {
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"node={port.Node} port=\"{port.Name}\" packets={port.Packets} lost={port.Lost}"));
                    if (port.HasWaiting) output.Write(string.Create(CultureInfo.InvariantCulture, $" waiting={port.Waiting}"));
                    foreach (var (fate, count) in port.Fates.OrderBy(f => f.Key, StringComparer.Ordinal)) output.Write(string.Create(CultureInfo.InvariantCulture, $" {fate}={count}"));
                    output.Write('\n');
                }
            });
        }, node);
    }

    /// <summary>The word that says of which node something is.</summary>
    internal static Option<string?> OfNode() => new("--node") { HelpName = "NODE", Description = "Of one node, not of all." };

    private static Command Settings()
    {
        var get = RemoteCall.Command("get", "Prints the settings that can change while nodes run.", "  fwctl settings get", async call =>
        {
            var response = await new SettingsService.SettingsServiceClient(call.Invoker).GetAsync(new(), cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, output => Write(output, response.Settings));
        });
        var assignments = new Argument<string[]>("NAME=VALUE") { Description = "A setting, such as nf_conntrack_udp_timeout=10.", Arity = ArgumentArity.OneOrMore };
        var set = RemoteCall.Command("set", "Changes settings until the nodes are started again.", "  fwctl settings set nf_conntrack_udp_timeout=10", async call =>
        {
            var request = new SetSettingsRequest();
            foreach (var assignment in call.Parsed.GetRequiredValue(assignments))
            {
                var equals = assignment.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0 || !long.TryParse(assignment.AsSpan(equals + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                    throw new FwctlException($"'{assignment}' is no setting; nf_conntrack_udp_timeout=10 would be one");
                request.Settings[assignment[..equals]] = value;
            }
            var response = await new SettingsService.SettingsServiceClient(call.Invoker).SetAsync(request, cancellationToken: call.Stop).ConfigureAwait(false);
            return call.Print(response, response.Failures, output => Write(output, response.Settings.Where(s => request.Settings.ContainsKey(s.Key))));
        }, assignments);
        var command = new Command("settings", "Timeouts and limits of tracking, by the kernel's names.") { get, set };
        HelpWithExamples.Describe(command, "Examples:\n  fwctl settings get\n\n");
        return command;
    }

    private static void WriteNodes(TextWriter output, IEnumerable<Node> nodes)
    {
        output.Write($"{"NODE",-16} {"HEALTH",-12} {"GENERATION",10} {"SHARDS",6} {"CONNECTIONS",11}  {"ADDRESS",-21} ROLES\n");
        foreach (var node in nodes)
        {
            output.Write(string.Create(CultureInfo.InvariantCulture, $"{node.Name,-16} {node.Health.ToString().ToLowerInvariant(),-12} {node.Generation,10} {node.Shards,6} "
                + $"{node.Connections,11}  {(node.Address.Length > 0 ? node.Address : "-"),-21} {string.Join(',', node.Roles)}\n"));
            if (node.Problem.Length > 0) output.Write($"    {node.Problem}\n");
        }
    }

    private static void Write(TextWriter output, IEnumerable<KeyValuePair<string, long>> settings)
    {
        foreach (var (name, value) in settings.OrderBy(s => s.Key, StringComparer.Ordinal)) output.Write(string.Create(CultureInfo.InvariantCulture, $"{name}={value}\n"));
    }

    private static string Line(Helper helper)
        => $"{helper.Name,-8} {helper.Protocol,-4} {(helper.Ports.Count > 0 ? string.Join(',', helper.Ports) : "by rules only"),-14} {(helper.Loaded ? "loaded" : "not loaded")}\n";

    private static Argument<string> Name() => new("NAME") { Description = "The helper: ftp or tftp." };
}
