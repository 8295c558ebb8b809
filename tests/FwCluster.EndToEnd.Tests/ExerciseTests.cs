using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests;

/// <summary>The exercise's captures: what the kernel counts for their packets now, and what it counted when they were made.</summary>
public class ExerciseTests
{
    private const string Server = "10.211.55.20";
    private const string Client = "10.211.55.10";

    [KernelFact]
    public void TheKernelCountsThePassiveRunAsItDidThen() => CountsAsThen("passive");

    [KernelFact]
    public void TheKernelCountsTheActiveRunAsItDidThen() => CountsAsThen("active");

    private static void CountsAsThen(string run)
        => Assert.Equal(File.ReadAllText(Repository.Exercise($"{run}.kernel.txt")), KernelCounts(Repository.Exercise($"{run}.pcapng"), helper: true));

    private static string KernelCounts(string capture, bool helper)
    {
        using var host = new ServerHost(Server, Client);
        host.RunRules(Repository.Exercise("exercise.rules"));
        if (helper) host.AttachFtpHelper();
        var sent = host.Replay(CaptureFrames.Read(capture));
        var counts = host.ListRules();
        Assert.Equal(sent, Total(counts));
        return counts;
    }

    // The sum of all rules and policies.
    private static (int Packets, long Bytes) Total(string listing)
    {
        var packets = 0;
        var bytes = 0L;
        foreach (var line in listing.Split('\n'))
        {
            var words = line.Split([' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["Chain", _, "policy", _, var policyPackets, "packets,", var policyBytes, "bytes"])
            {
                packets += int.Parse(policyPackets, null);
                bytes += long.Parse(policyBytes, null);
            }
            else if (words.Length > 2 && int.TryParse(words[0], out var rulePackets))
            {
                packets += rulePackets;
                bytes += long.Parse(words[1], null);
            }
        }
        return (packets, bytes);
    }
}
