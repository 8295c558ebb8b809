using System.Diagnostics;
using System.Text.RegularExpressions;
using FwCluster.Referee;

namespace FwCluster.Node.Tests;

/// <summary>Rules that are read again and again while packets flow.</summary>
[Collection(DaemonTests.Name)]
public sealed class ReloadTests(ITestOutputHelper output)
{
    private const int StreamPort = 7001;
    private const int TransferPort = 7003;
    private const int ServerPort = 7004;
    private const int BrokenEvery = 7;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [KernelTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void NoPacketIsLostOrDecidedByAMixtureAndCountersGoOn(int queues)
    {
        using var lab = new GatewayLab();
        using var daemon = new Daemon(lab.Gateway, Rules(1), queues: queues);
        using var datagrams = new DatagramStream(lab, GatewayLab.RightIPv4, StreamPort);
        using var transfer = new Transfer(lab, TransferPort);
        using var connections = new ConnectionStream(lab, ServerPort);

        var watch = Stopwatch.StartNew();
        var (asked, broken) = (0, 0);
        while (watch.Elapsed.TotalSeconds < DaemonTests.Seconds)
        {
            var isBroken = asked % BrokenEvery == BrokenEvery - 1;
            if (isBroken) broken++;
            // A mistake in the last line: nothing of what stands before it may be used, either.
            daemon.WriteRules(isBroken ? Rules(3).Replace("COMMIT\n# end", "-A FORWARD -j NOSUCHCHAIN\nCOMMIT", StringComparison.Ordinal) : Rules(1 + asked % 2));
            daemon.Reload();
            asked++;
            Assert.True(SpinWait.SpinUntil(() => Made(daemon) + Refused(daemon) == asked, Patience), $"nobody answers reload {asked}: {daemon.Log}");
        }
        connections.Finish();
        transfer.Finish();
        datagrams.Finish();

        var (done, refused) = (Made(daemon), Refused(daemon));
        output.WriteLine($"{asked} reloads asked, {broken} of them of broken rules: {done} made, {refused} refused; {connections.Made} connections, "
            + $"{datagrams.Received} of {datagrams.Sent} datagrams, {transfer.Received >> 20} MiB transferred, {lab.QueueLosses()} packets lost in the queue");
        Assert.True(broken > 0, $"only {asked} reloads in {watch.Elapsed}");
        Assert.Equal((asked - broken, broken), (done, refused));
        Assert.True(connections.Made > DaemonTests.Seconds, $"only {connections.Made} connections");
        Assert.Equal(datagrams.Sent, datagrams.Received);
        Assert.Equal(0, lab.QueueLosses());

        Assert.Equal(0, daemon.PacketsMet("mixture"));
        // The rules that no reload changed have counted from the first packet to the last.
        Assert.Equal(datagrams.Sent, daemon.PacketsMet("datagrams"));
        Assert.Equal(connections.Made, daemon.PacketsMet("logins"));
        Assert.DoesNotContain("mark match 0x3", daemon.Get("rules"), StringComparison.Ordinal);
    }

    private static int Made(Daemon daemon) => Regex.Count(daemon.Log, "were read again");

    private static int Refused(Daemon daemon) => Regex.Count(daemon.Log, "Nothing was changed");

    /// <summary>Two tables that have to be of the same version: the one marks packets, the other one lets only its own mark through. The other rules
    /// are the same in each version.</summary>
    private static string Rules(int version) => $"""
        *mangle
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A PREROUTING -j MARK --set-xmark {version}/0xffffffff
        -A FORWARD -m mark ! --mark {version} -j DROP
        -A POSTROUTING -m mark ! --mark {version} -j DROP
        COMMIT
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD DROP [0:0]
        :OUTPUT ACCEPT [0:0]
        -A FORWARD -p udp -m udp --dport {StreamPort} -m comment --comment datagrams
        -A FORWARD -p tcp -m tcp --dport {ServerPort} -m state --state NEW -m comment --comment logins
        -A FORWARD -m mark --mark {version} -j ACCEPT
        -A FORWARD -m comment --comment mixture -j DROP
        COMMIT
        # end
        """;
}
