using FwCluster.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>Makes a sequence of packets from a random source: a few connections of any kind interleaved, then disturbed.</summary>
public static class SequenceGenerator
{
    /// <summary>A sequence of up to some hundred packets.</summary>
    /// <param name="random">All that is drawn comes from here: the same seed gives the same packets.</param>
    /// <param name="number">Which addresses it uses; see <see cref="Scene"/>.</param>
    /// <param name="withHelpers">Whether FTP and TFTP dialogues are among them.</param>
    public static List<byte[]> Generate(Random random, int number, bool withHelpers = true)
    {
        ArgumentNullException.ThrowIfNull(random);
        var scene = new Scene(random, random.Next(3) == 0 ? IpFamily.IPv6 : IpFamily.IPv4, number);
        var disturbance = new Disturbance(scene);
        var flows = Enumerable.Range(0, scene.Pick(1, 1, 1, 2, 3)).Select(_ => Flow(scene, withHelpers).GetEnumerator()).ToList();
        var packets = new List<byte[]>();
        while (flows.Count > 0)
        {
            var flow = scene.Pick(flows.ToArray());
            if (!flow.MoveNext())
            {
                flow.Dispose();
                flows.Remove(flow);
                continue;
            }
            disturbance.Add(packets, flow.Current);
        }
        return packets;
    }

    private static IEnumerable<byte[]> Flow(Scene scene, bool withHelpers) => scene.Random.Next(21) switch
    {
        < 10 => new TcpConversation(scene, scene.Between(0, 1), scene.FreshPort(), scene.Pick<ushort>(80, 443, 21, 8080),
            oddity: scene.Pick(3, 8, 20, 1000)).Live(scene.Random.Next(1, 30)),
        < 15 when withHelpers => new FtpDialogue(scene).Play(),
        < 16 when withHelpers => DatagramFlows.Tftp(scene, scene.Random.Next(2, 10)),
        < 18 => DatagramFlows.Udp(scene, scene.Random.Next(1, 12)),
        < 20 => DatagramFlows.Queries(scene, scene.Random.Next(1, 12)),
        _ => DatagramFlows.Others(scene, scene.Random.Next(1, 6)),
    };
}
