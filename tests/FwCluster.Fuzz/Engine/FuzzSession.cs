using System.Diagnostics;
using System.Globalization;

namespace FwCluster.Fuzz.Engine;

/// <summary>
/// Fuzzes targets, each in a process of its own with the instrumented copy, a heap of bounded size and a bounded time: so a stack
/// overflow, a hang and memory without end are findings like any exception.
/// </summary>
public sealed class FuzzSession : IDisposable
{
    /// <summary>The environment variable that bounds a process's heap.</summary>
    internal const string HeapVariable = "DOTNET_GCHeapHardLimit";

    private const long HeapBytes = 512L << 20;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly InstrumentedCopy _copy = InstrumentedCopy.Make();
    private readonly string _folder;
    private readonly bool _keepsCorpus;

    /// <summary>Instruments the assemblies.</summary>
    /// <param name="folder">Where findings go.</param>
    /// <param name="keepsCorpus">Whether runs begin with what runs before them kept there.</param>
    public FuzzSession(string folder, bool keepsCorpus)
    {
        _folder = Path.GetFullPath(folder);
        _keepsCorpus = keepsCorpus;
    }

    /// <summary>Fuzzes a target for a time, or to its first finding.</summary>
    /// <param name="target">The target.</param>
    /// <param name="time">How long.</param>
    /// <param name="seed">What random choices begin with.</param>
    public FuzzReport Run(FuzzTarget target, TimeSpan time, int seed)
    {
        ArgumentNullException.ThrowIfNull(target);
        var folder = Path.Combine(_folder, target.Name);
        using var process = new Process { StartInfo = ChildStart(target.Name, time, seed, folder) };
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var ended = process.WaitForExit(time + Grace);
        if (!ended) process.Kill(entireProcessTree: true);
        process.WaitForExit();

        var files = new FuzzFolder(folder, _keepsCorpus);
        var current = files.CurrentInputOf(process.Id);
        var input = CurrentInput.Read(current);
        if (input is not null) File.Delete(current);
        var numbers = output.GetAwaiter().GetResult().Split(' ', StringSplitOptions.TrimEntries);
        var report = numbers.Length == 4
            ? new FuzzReport(target.Name, Int(numbers[0]), (int)Int(numbers[1]), (int)Int(numbers[2]),
                double.Parse(numbers[3], CultureInfo.InvariantCulture), null, null)
            : new FuzzReport(target.Name, 0, 0, 0, 0, null, null);
        if (ended && process.ExitCode == 0) return report;

        var said = error.GetAwaiter().GetResult().Trim();
        var how = !ended ? "the process did not end" : $"exit code {process.ExitCode}";
        if (input is null) throw new InvalidOperationException($"fuzzing {target.Name} did not start: {how}\n{said}");
        var file = files.WriteFinding(input);
        return report with
        {
            FindingFile = file,
            Finding = $"FOUND ({how}, random seed {seed}): {Shortened(said)}\n"
                + $"The input, {input.Length} bytes, is {file}\n"
                + $"See it again: dotnet run -c Release --project tests/FwCluster.Fuzz -- repeat {target.Name} {file}",
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _copy.Dispose();

    /// <summary>Runs this process's command line in another one, whose heap is bounded.</summary>
    internal static int StartAgain()
    {
        Environment.SetEnvironmentVariable(HeapVariable, HeapBytes.ToString("x", CultureInfo.InvariantCulture));
        var words = Environment.GetCommandLineArgs();
        using var process = Process.Start(DotnetHost, words);
        process.WaitForExit();
        return process.ExitCode;
    }

    private ProcessStartInfo ChildStart(string target, TimeSpan time, int seed, string folder)
    {
        var start = new ProcessStartInfo(DotnetHost)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var word in (string[])[_copy.Assembly, FuzzCommand.ChildWord, target,
            time.TotalSeconds.ToString(CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture), folder,
            _keepsCorpus ? "keep" : "forget"])
        {
            start.ArgumentList.Add(word);
        }
        start.Environment[HeapVariable] = HeapBytes.ToString("x", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        return start;
    }

    private static string DotnetHost => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private static long Int(string word) => long.Parse(word, CultureInfo.InvariantCulture);

    // A stack overflow's trace has thousands of lines.
    private static string Shortened(string text)
    {
        var lines = text.Split('\n');
        return lines.Length <= 40 ? text : string.Join('\n', [.. lines[..40], $"... {lines.Length - 40} lines more"]);
    }
}
