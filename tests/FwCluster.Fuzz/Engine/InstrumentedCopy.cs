using SharpFuzz;

namespace FwCluster.Fuzz.Engine;

/// <summary>
/// A copy of this program in a temporary folder, in which the product's assemblies count the edges they run through. The program's
/// own engine is left as it is.
/// </summary>
internal sealed class InstrumentedCopy : IDisposable
{
    private const string Program = "FwCluster.Fuzz";

    private InstrumentedCopy(string folder) => Folder = folder;

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>The program to start with <c>dotnet</c>.</summary>
    public string Assembly => Path.Combine(Folder, Program + ".dll");

    /// <summary>Copies and instruments.</summary>
    public static InstrumentedCopy Make()
    {
        var copy = new InstrumentedCopy(Directory.CreateTempSubdirectory("fwfuzz").FullName);
        var source = Path.GetDirectoryName(typeof(InstrumentedCopy).Assembly.Location)!;
        foreach (var file in Directory.EnumerateFiles(source).Where(IsNeeded))
            File.Copy(file, Path.Combine(copy.Folder, Path.GetFileName(file)));
        foreach (var file in Directory.EnumerateFiles(copy.Folder, "FwCluster.*.dll"))
        {
            var isProgram = Path.GetFileNameWithoutExtension(file) == Program;
            Fuzzer.Instrument(file, type => !isProgram || type.StartsWith(Program + ".Planted.", StringComparison.Ordinal), Options.Value);
        }
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static bool IsNeeded(string file) => Path.GetFileName(file) switch
    {
        var name when name.EndsWith(".Tests.dll", StringComparison.Ordinal) => false,
        var name when name.EndsWith(".dll", StringComparison.Ordinal) => true,
        Program + ".runtimeconfig.json" or Program + ".deps.json" => true,
        _ => false,
    };
}
