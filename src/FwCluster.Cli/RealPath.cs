namespace FwCluster.Cli;

/// <summary>The path of a file without symbolic links, as realpath(1) tells it.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    /// <summary>Follows every symbolic link in a path; a part that does not exist stays as it is.</summary>
    public static string Of(string path)
    {
        var full = Path.GetFullPath(path);
        for (var links = 0; links < MaxLinks; links++)
        {
            if (FollowFirst(full) is not { } followed) break;
            full = followed;
        }
        return full;
    }

    /// <summary>The path with its first link replaced by what it leads to; null where there is none.</summary>
    private static string? FollowFirst(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var walked = "/";
        for (var i = 0; i < parts.Length; i++)
        {
            walked = Path.Combine(walked, parts[i]);
            if (new FileInfo(walked).LinkTarget is not { } target) continue;
            return Path.GetFullPath(Path.Combine([Path.GetDirectoryName(walked)!, target, .. parts[(i + 1)..]]));
        }
        return null;
    }
}
