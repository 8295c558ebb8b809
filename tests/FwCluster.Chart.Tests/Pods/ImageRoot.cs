using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>The image's root file system, made as the Dockerfile makes it, once for all tests; gone with them.</summary>
public sealed class ImageRoot : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fwtroot");

    public ImageRoot()
    {
        try
        {
            // Tests are built with what they test.
            Made = Command.TryRun(System.IO.Path.Combine(Repository.Root, "packaging", "build-rootfs.sh"), [Path, "--no-build"], timeout: TimeSpan.FromMinutes(3));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is.</summary>
    public string Path => System.IO.Path.Combine(_folder.FullName, "root");

    /// <summary>What came of making it.</summary>
    public CommandResult Made { get; }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
