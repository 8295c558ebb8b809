using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>The command <c>scale</c>: what connections and transfers cost among 3 to 100 nodes.</summary>
public static class ScalingRun
{
    private const int Runs = 3;

    private static readonly int[] NodeCounts = [3, 10, 30, 100];
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Runs it and prints a table, or JSON.</summary>
    /// <param name="json">JSON: an array of results.</param>
    /// <param name="connections">Connections in each run.</param>
    public static void Run(bool json, int connections)
    {
        Simulation.Connections(3, 2000, 100, isAsymmetric: true); // compiled, before times are taken
        Simulation.Ftp(3, 500, 10);
        var results = new List<SimulationResult>();
        foreach (var nodes in NodeCounts)
        {
            results.Add(Best(() => Simulation.Connections(nodes, connections, 100, isAsymmetric: false)));
            results.Add(Best(() => Simulation.Connections(nodes, connections, 100, isAsymmetric: true)));
            results.Add(Best(() => Simulation.Ftp(nodes, connections / 10, 2)));
            results.Add(Best(() => Simulation.Living(nodes, connections / 10, isShared: false)));
            results.Add(Best(() => Simulation.Living(nodes, connections / 10, isShared: true)));
        }
        if (json) Console.WriteLine(JsonSerializer.Serialize(results, Indented));
        else Print(results);
    }

    /// <summary>The fastest of some runs: the machine has other things to do. All else is the same in each.</summary>
    private static SimulationResult Best(Func<SimulationResult> run) => Enumerable.Range(0, Runs).Select(_ => run()).MinBy(result => result.Microseconds)!;

    private static void Print(List<SimulationResult> results)
    {
        var table = new Table { Border = TableBorder.Markdown };
        foreach (var title in (string[])["for each", "nodes", "questions", "requests and replies between nodes", "messages", "bytes",
            "expectation messages", "their bytes", "us of processor", "in shards", "in codec"])
            table.AddColumn(title);
        foreach (var r in results.OrderBy(r => r.Traffic, StringComparer.Ordinal).ThenBy(r => r.Nodes))
        {
            table.AddRow(r.Traffic, r.Nodes.ToString(CultureInfo.InvariantCulture), Number(r.Questions), Number(r.Items), Number(r.Messages), Number(r.Bytes),
                Number(r.ExpectationMessages), Number(r.ExpectationBytes), Number(r.Microseconds), Number(r.ShardMicroseconds), Number(r.CodecMicroseconds));
        }
        AnsiConsole.Profile.Width = 400;
        AnsiConsole.Write(table);
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.##" : "#,0", CultureInfo.InvariantCulture);
}
