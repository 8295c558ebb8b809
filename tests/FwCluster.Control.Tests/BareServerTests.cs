using Microsoft.AspNetCore.Builder;

namespace FwCluster.Control.Tests;

/// <summary>The daemon's servers have what the daemon gives them, and look for nothing more.</summary>
public class BareServerTests
{
    [Fact]
    public async Task NoFileIsReadOrWatched()
    {
        var before = Watches();
        var builder = BareServer.CreateBuilder();
        Assert.Empty(builder.Configuration.Sources);
        await using var app = builder.Build();
        Assert.Equal(before, Watches());
        // What it would be otherwise can be seen so.
        await using var usual = WebApplication.CreateSlimBuilder().Build();
        Assert.NotEqual(before, Watches());
    }

    private static int Watches() => Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.Contains("inotify", StringComparison.Ordinal) == true);
}
