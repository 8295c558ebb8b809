namespace FwCluster.Referee;

/// <summary>Where the repository's files are.</summary>
public static class Repository
{
    /// <summary>The folder of FwCluster.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>The chart.</summary>
    public static string Chart { get; } = Path.Combine(Root, "charts", "fwcluster");

    /// <summary>The documented combinations of the chart's values.</summary>
    public static string[] ChartExamples
        => [.. Directory.GetFiles(Path.Combine(Chart, "examples"), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    /// <summary>A file of examples/exercise.</summary>
    public static string Exercise(string name) => Path.Combine(Root, "examples", "exercise", name);

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FwCluster.sln"))) return folder;
        }
        throw new DirectoryNotFoundException($"no FwCluster.sln above {AppContext.BaseDirectory}");
    }
}
