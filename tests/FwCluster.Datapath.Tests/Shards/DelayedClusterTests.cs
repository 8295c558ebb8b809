using CsCheck;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>Whatever the order in which messages arrive, whoever vanishes: one holder at most, one verdict for each packet, one connection for each
/// expectation.</summary>
public sealed class DelayedClusterTests
{
    private const int Workers = 3;
    private const int Shards = 2;
    private const ushort Announced = 40000;

    private static readonly Gen<(int Kind, int Which, int Worker)[]> Steps =
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 99], Gen.Int[0, Workers - 1]).Array[20, 300];

    [Fact]
    public void OneHolderOneVerdictOneClaim()
    {
        var related = 0;
        Steps.Sample(steps =>
        {
            var cluster = new DelayedCluster(Workers, Shards);
            Play(cluster, steps);
            cluster.Finish();
            Assert.True(cluster.Related.Count <= 1, "two connections met one expectation");
            Interlocked.Add(ref related, cluster.Related.Count);
        }, iter: 2000, threads: 1);
        Assert.True(related > 0, "no expectation was ever met");
    }

    private static void Play(DelayedCluster cluster, (int Kind, int Which, int Worker)[] steps)
    {
        // An FTP session whose announcement two connections race for; a connection whose packets come anywhere; one whose SYN comes twice.
        var flows = new[] { Control(), Data(6000), Data(6001), Whole(7000), Whole(7001) }.Select(flow => flow.GetEnumerator()).ToArray();
        foreach (var (kind, which, worker) in steps)
        {
            switch (kind)
            {
                case < 35:
                    var flow = flows[which % flows.Length];
                    if (flow.MoveNext()) cluster.Send(worker, flow.Current);
                    break;
                case 98:
                    cluster.Vanish(worker);
                    break;
                case > 94:
                    cluster.Wait(TimeSpan.FromMilliseconds(which * 15));
                    break;
                default:
                    cluster.Deliver(which);
                    break;
            }
        }
    }

    private static IEnumerable<byte[]> Control()
    {
        var tcp = new Conversation(5000, 21);
        yield return tcp.Syn();
        yield return tcp.SynAck();
        yield return tcp.Ack();
        yield return tcp.Answer("220 ready\r\n");
        yield return tcp.Answer("227 Entering Passive Mode (198,51,100,1,156,64)\r\n");
        yield return tcp.Ack();
    }

    private static IEnumerable<byte[]> Data(ushort port)
    {
        yield return new Conversation(port, Announced).Syn();
        foreach (var packet in Whole(port, Announced)) yield return packet;
    }

    private static IEnumerable<byte[]> Whole(ushort port, ushort to = 80)
    {
        var tcp = new Conversation(port, to);
        yield return tcp.Syn();
        yield return tcp.SynAck();
        yield return tcp.Ack();
        for (var i = 0; i < 4; i++)
        {
            yield return tcp.Say("request");
            yield return tcp.Answer("answer");
        }
        yield return tcp.Fin();
        yield return tcp.FinBack();
        yield return tcp.Ack();
        yield return new Conversation(port, to).Syn();
    }
}
