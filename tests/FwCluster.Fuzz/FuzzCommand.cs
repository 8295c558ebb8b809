using System.Globalization;
using FwCluster.Fuzz.Engine;
using FwCluster.Fuzz.Targets;

namespace FwCluster.Fuzz;

/// <summary>The command line.</summary>
internal static class FuzzCommand
{
    /// <summary>The first word of a child process's command line.</summary>
    public const string ChildWord = "child";

    private const string Usage = """
        Feeds broken input to what reads captures, packets and rule files, guided by which code each input runs through.

          dotnet run -c Release --project tests/FwCluster.Fuzz -- list
          dotnet run -c Release --project tests/FwCluster.Fuzz -- run [TARGET...] [--seconds N] [--seed N] [--folder DIR]
          dotnet run -c Release --project tests/FwCluster.Fuzz -- repeat TARGET FILE

        run      fuzzes each target, or those named, for N seconds (60). What it keeps for the next run and what it finds goes
                 to DIR/TARGET (artifacts/fuzz/TARGET). The exit code is 1 where something was found.
        repeat   runs one input, such as a finding's, and prints what escapes.
        """;

    public static int Run(string[] words)
    {
        try
        {
            return words switch
            {
                [ChildWord, var target, var seconds, var seed, var folder, var corpus] => Child(target,
                    double.Parse(seconds, CultureInfo.InvariantCulture), Number(seed), new FuzzFolder(folder, corpus == "keep")),
                ["list"] => List(),
                ["run", ..] => Fuzz(words[1..]),
                ["repeat", var target, var file] => Repeat(FuzzTargets.Find(target), file),
                _ => throw new FormatException(Usage),
            };
        }
        catch (FormatException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 2;
        }
    }

    private static int Child(string target, double seconds, int seed, FuzzFolder folder)
    {
        // Before anything else: where nobody has said what to count in, instrumented code writes to address 0.
        using var coverage = new Coverage();
        using var loop = new FuzzLoop(FuzzTargets.Find(target), coverage, folder, seed);
        return loop.Run(TimeSpan.FromSeconds(seconds));
    }

    private static int List()
    {
        foreach (var target in FuzzTargets.All) Console.WriteLine($"{target.Name,-10} {target.Description}");
        return 0;
    }

    private static int Fuzz(string[] words)
    {
        var targets = new List<FuzzTarget>();
        var (seconds, seed, folder) = (60, Random.Shared.Next(), "artifacts/fuzz");
        for (var i = 0; i < words.Length; i++)
        {
            if (!words[i].StartsWith('-'))
            {
                targets.Add(FuzzTargets.Find(words[i]));
                continue;
            }
            if (i + 1 == words.Length) throw new FormatException($"{words[i]} wants a value\n\n{Usage}");
            var value = words[++i];
            switch (words[i - 1])
            {
                case "--seconds":
                    seconds = Number(value);
                    break;
                case "--seed":
                    seed = Number(value);
                    break;
                case "--folder":
                    folder = value;
                    break;
                default:
                    throw new FormatException($"no such option: {words[i - 1]}\n\n{Usage}");
            }
        }

        Console.WriteLine($"Random seed {seed}");
        using var session = new FuzzSession(folder, keepsCorpus: true);
        var found = false;
        foreach (var target in targets.Count > 0 ? targets : FuzzTargets.All)
        {
            var report = session.Run(target, TimeSpan.FromSeconds(seconds), seed);
            Console.WriteLine(report);
            found |= report.Finding is not null;
        }
        return found ? 1 : 0;
    }

    private static int Repeat(FuzzTarget target, string file)
    {
        // In a process with the heap that the finding had.
        if (Environment.GetEnvironmentVariable(FuzzSession.HeapVariable) is null) return FuzzSession.StartAgain();
        var input = File.ReadAllBytes(file);
        using var runner = new InputRunner(target);
        if (runner.Run(input) is { } problem)
        {
            Console.Error.WriteLine(problem);
            return 1;
        }
        Console.WriteLine($"{target.Name}: {input.Length} bytes, nothing escaped");
        return 0;
    }

    private static int Number(string word)
        => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"not a number: {word}\n\n{Usage}");
}
