using System.Text;
using FwCluster.Fuzz.Engine;
using FwCluster.Fuzz.Planted;

namespace FwCluster.Fuzz.Targets;

/// <summary>The targets there are.</summary>
public static class FuzzTargets
{
    /// <summary>Those of the product.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } = [new PacketsTarget(), new FtpTarget(), new RulesTarget(), new SetsTarget(), new CaptureTarget(), new ReplayTarget()];

    /// <summary>Faults planted to see that fuzzing finds them.</summary>
    public static IReadOnlyList<FuzzTarget> Planted => PlantedTarget.All;

    /// <summary>The target with a name.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public static FuzzTarget Find(string name)
        => All.Concat(Planted).FirstOrDefault(target => target.Name == name)
            ?? throw new FormatException($"no such target: {name}; there are {string.Join(", ", All.Select(target => target.Name))}");

    /// <summary>The files below a folder of seeds.</summary>
    internal static IEnumerable<byte[]> SeedFiles(string folder)
    {
        var assembly = typeof(FuzzTargets).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (!name.StartsWith($"seeds/{folder}/", StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return bytes;
        }
    }

    /// <summary>The distinct words of texts.</summary>
    internal static IEnumerable<byte[]> WordsOf(IEnumerable<byte[]> texts)
        => texts.SelectMany(text => Encoding.Latin1.GetString(text).Split([' ', '\n', '\t', ','], StringSplitOptions.RemoveEmptyEntries))
            .Distinct().Select(word => Encoding.Latin1.GetBytes(word + ' '));
}
