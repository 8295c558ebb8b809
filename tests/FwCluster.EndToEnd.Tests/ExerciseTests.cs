using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests;

/// <summary>
/// The exercise: <c>fwctl replay</c> prints, to the letter, what <c>iptables -L -v -n -x</c> prints on a host that the same packets
/// pass now.
/// </summary>
public class ExerciseTests
{
    private const string Server = "10.211.55.20";
    private const string Client = "10.211.55.10";

    [KernelFact]
    public void PassiveRun() => SameCounts("passive.pcapng", "ftp");

    [KernelFact]
    public void ActiveRun() => SameCounts("active.pcapng", "ftp");

    [KernelFact]
    public void PassiveRunThatNoHelperReads() => SameCounts("passive.pcapng", "none");

    [KernelFact]
    public void ActiveRunThatNoHelperReads() => SameCounts("active.pcapng", "none");

    [Theory]
    [InlineData("passive")]
    [InlineData("active")]
    public void TheKernelCountedTheSameWhenTheCaptureWasMade(string run)
        => Assert.Equal(File.ReadAllText(Repository.Exercise($"{run}.kernel.txt")), Replay(Repository.Exercise($"{run}.pcapng"), "exercise.rules"));

    [Theory]
    [InlineData("passive")]
    [InlineData("active")]
    public void TheSavedFormCountsTheSame(string run)
        => Assert.Equal(Replay(Repository.Exercise($"{run}.pcapng"), "exercise.rules"), Replay(Repository.Exercise($"{run}.pcapng"), "exercise.save"));

    [KernelFact]
    public void TheSavedFormIsWhatTheKernelSavesOfTheCommands()
    {
        using var host = new ServerHost(Server, Client);
        host.RunRules(Repository.Exercise("exercise.rules"));
        var saved = host.SaveFilterTable().Split('\n').Where(line => !line.StartsWith('#'));
        Assert.Equal(File.ReadAllText(Repository.Exercise("exercise.save")), string.Join('\n', saved));
    }

    /// <summary>Real server, real client, other ports and sequence numbers each time.</summary>
    [KernelFact]
    public void CapturesMadeNow()
    {
        var folder = Directory.CreateTempSubdirectory("fwtcapture").FullName;
        try
        {
            var made = Command.TryRun("bash", [Repository.Exercise("capture.sh"), folder], timeout: TimeSpan.FromMinutes(2));
            Assert.SkipWhen(made.ExitCode == 2, made.Error);
            Assert.True(made.ExitCode == 0, made.Output + made.Error);
            foreach (var run in (string[])["passive", "active"])
            {
                Assert.Equal(File.ReadAllText(Path.Combine(folder, $"{run}.kernel.txt")),
                    Replay(Path.Combine(folder, $"{run}.pcapng"), "exercise.rules"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void SameCounts(string capture, string helpers)
    {
        using var host = new ServerHost(Server, Client);
        host.RunRules(Repository.Exercise("exercise.rules"));
        if (helpers == "ftp") host.AttachFtpHelper();
        var sent = host.Replay(CaptureFrames.Read(Repository.Exercise(capture)));
        var counts = host.ListRules();
        // Nothing but the capture's packets was counted, and each of them once.
        Assert.Equal(sent, RuleListing.Total(counts));
        Assert.Equal(counts, Replay(Repository.Exercise(capture), "exercise.rules", "--helpers", helpers));
    }

    private static string Replay(string capture, string rules, params string[] more)
        => FwctlProgram.Run(["replay", capture, "--rules", Repository.Exercise(rules), "--local", Server, .. more]);
}
