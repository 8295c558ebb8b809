namespace FwCluster.Chart.Tests;

/// <summary>Where the files are.</summary>
internal static class Repository
{
    /// <summary>The folder with FwCluster.sln.</summary>
    public static string Root { get; } = Find();

    /// <summary>The chart.</summary>
    public static string Chart { get; } = Path.Combine(Root, "charts", "fwcluster");

    /// <summary>The documented combinations of values.</summary>
    public static string[] Examples { get; } =
        [.. Directory.GetFiles(Path.Combine(Chart, "examples"), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FwCluster.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("no repository above the tests");
        return folder;
    }
}
