using FwCluster.Fuzz.Engine;
using FwCluster.Fuzz.Targets;

namespace FwCluster.Fuzz.Tests;

/// <summary>A bounded run of each target, with a fresh seed; and the faults planted to know that fuzzing finds what is there.</summary>
public sealed class FuzzTests(FuzzTests.Session session) : IClassFixture<FuzzTests.Session>
{
    private static readonly TimeSpan TimePerTarget = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TimeToFindWhatIsPlanted = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    public static TheoryData<string> Planted => [.. FuzzTargets.Planted.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void NothingIsFound(string target)
    {
        var report = session.Run(target, TimePerTarget);
        Assert.True(report.Finding is null, report.ToString());
        // It ran, on code that counts its edges.
        Assert.True(report.Executions > 100 && report.Edges > 100, report.ToString());
    }

    [Theory]
    [MemberData(nameof(Planted))]
    public void WhatIsPlantedIsFound(string target)
    {
        var report = session.Run(target, TimeToFindWhatIsPlanted);
        Assert.True(report.Finding is not null, report.ToString());
        Assert.StartsWith(target.Split('-')[1], File.ReadAllText(report.FindingFile!));
        File.Delete(report.FindingFile!);
    }

    /// <summary>The instrumented copy, made once.</summary>
    public sealed class Session : IDisposable
    {
        private readonly FuzzSession _session = new(Path.Combine(AppContext.BaseDirectory, "fuzz"), keepsCorpus: false);

        public FuzzReport Run(string target, TimeSpan time) => _session.Run(FuzzTargets.Find(target), time, Random.Shared.Next());

        public void Dispose() => _session.Dispose();
    }
}
