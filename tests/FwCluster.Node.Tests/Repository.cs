using System.Runtime.CompilerServices;

namespace FwCluster.Node.Tests;

/// <summary>Where the repository's files are.</summary>
internal static class Repository
{
    /// <summary>The folder of FwCluster.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "FwCluster.sln"))) return folder;
        }
        throw new DirectoryNotFoundException($"no FwCluster.sln above {here}");
    }
}
