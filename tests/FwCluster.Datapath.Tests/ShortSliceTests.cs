using System.Globalization;

namespace FwCluster.Datapath.Tests;

/// <summary>A thread asks the kernel for a short slice, and gets it where there is such a thing.</summary>
public class ShortSliceTests
{
    private const string Scheduling = "/proc/thread-self/sched";
    private static readonly Version First = new(6, 12);

    [Fact]
    public void AThreadHasAShortSlice()
    {
        Assert.SkipUnless(File.Exists(Scheduling), $"{Scheduling}, where the kernel tells of a thread's slice, is not there");
        var (before, after) = (0L, 0L);
        var thread = new Thread(() =>
        {
            before = Slice();
            ShortSlice.Take();
            after = Slice();
        });
        thread.Start();
        thread.Join();
        Assert.Equal(Environment.OSVersion.Version >= First ? 100_000 : before, after);
        Assert.NotEqual(100_000, before);
    }

    // Nanoseconds.
    private static long Slice()
        => File.ReadLines(Scheduling).Where(line => line.StartsWith("se.slice", StringComparison.Ordinal))
            .Select(line => long.Parse(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture)).FirstOrDefault();
}
