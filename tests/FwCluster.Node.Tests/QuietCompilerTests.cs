using System.Globalization;
using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>The runtime's compiler gives way to packets.</summary>
[Collection(DaemonTests.Name)]
public sealed class QuietCompilerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string Rules = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        COMMIT

        """;

    [KernelFact]
    public void TheCompilersThreadIsNice()
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules, wrapper: Daemon.Unprivileged, queues: 1);
        // It begins, ends and begins again as there is something to compile; after a start there is.
        Assert.True(SpinWait.SpinUntil(() => NicesOfCompilers(daemon).Contains(QuietCompiler.Nice), Patience),
            $"nice values of the compiler's threads: {string.Join(' ', NicesOfCompilers(daemon))}");
        var packets = daemon.Threads.Where(thread => NameOf(thread).StartsWith("queue", StringComparison.Ordinal)).Select(NiceOf);
        Assert.Equal([0], packets);
    }

    private static List<int?> NicesOfCompilers(Daemon daemon) => [.. daemon.Threads.Where(thread => NameOf(thread) == QuietCompiler.ThreadName).Select(NiceOf)];

    // proc_pid_stat(5): the name stands in parentheses, the nice value is the 19th field.
    private static string NameOf(string thread) => Stat(thread) is var stat && stat.Length == 0 ? "" : stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..stat.LastIndexOf(')')];

    private static int? NiceOf(string thread)
        => Stat(thread) is var stat && stat.Length == 0 ? null : int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);

    private static string Stat(string thread)
    {
        try
        {
            return File.ReadAllText($"{thread}/stat");
        }
        catch (IOException)
        {
            return ""; // it has ended
        }
    }
}
