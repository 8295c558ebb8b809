using System.Diagnostics;
using FwCluster.Conntrack;
using FwCluster.Datapath;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>What one kind of traffic costs among so many nodes, for each of its connections or transfers.</summary>
/// <param name="Traffic">Which.</param>
/// <param name="Nodes">Nodes.</param>
/// <param name="Count">Connections, or transfers.</param>
/// <param name="Questions">Questions to shards, here or elsewhere.</param>
/// <param name="Items">Requests and replies between nodes.</param>
/// <param name="Messages">Messages that they went in, at this load.</param>
/// <param name="Bytes">Bytes of those.</param>
/// <param name="ExpectationMessages">Messages about expectations.</param>
/// <param name="ExpectationBytes">Bytes of those.</param>
/// <param name="Microseconds">Processor time of workers, shards and codec of all nodes together.</param>
/// <param name="ShardMicroseconds">Of that, in shards.</param>
/// <param name="CodecMicroseconds">Of that, in the codec.</param>
public sealed record SimulationResult(string Traffic, int Nodes, int Count, double Questions, double Items, double Messages, double Bytes,
    double ExpectationMessages, double ExpectationBytes, double Microseconds, double ShardMicroseconds, double CodecMicroseconds);

/// <summary>Runs traffic through <see cref="SimulatedCluster"/>s.</summary>
public static class Simulation
{
    // Packets of a connection are so many turns from each other: more than the longest way, an FTP server's reply that waits for all nodes.
    private const int Gap = 12;

    // Until what was closed has gone from the tables, and its end was told.
    private static readonly TimeSpan ClosedAfter = TimeSpan.FromSeconds(150);

    /// <summary>Whole connections: handshake, request, answer, close, and the end of the entry.</summary>
    /// <param name="nodes">Nodes.</param>
    /// <param name="connections">Connections.</param>
    /// <param name="perTurn">Connections that begin in a millisecond, all nodes together.</param>
    /// <param name="isAsymmetric">Each direction by another gateway; else both by one.</param>
    public static SimulationResult Connections(int nodes, int connections, int perTurn, bool isAsymmetric)
    {
        var cluster = new SimulatedCluster(nodes, connections);
        var random = new Random(1);
        var tracks = Enumerable.Range(0, connections).Select(number =>
        {
            var there = random.Next(nodes);
            var back = isAsymmetric ? (there + 1 + random.Next(nodes - 1)) % nodes : there;
            return Whole(new SimulatedConnection(number, 80), there, back);
        });
        Run(cluster, tracks, perTurn, [ConntrackState.New, ConntrackState.Established]);
        cluster.Wait(ClosedAfter);
        return Result(isAsymmetric ? "connection, two gateways" : "connection, one gateway", cluster, connections);
    }

    /// <summary>Passive FTP transfers: a control connection each, by one gateway, and its data connection by another.</summary>
    public static SimulationResult Ftp(int nodes, int transfers, int perTurn)
    {
        var cluster = new SimulatedCluster(nodes, transfers);
        var random = new Random(1);
        var tracks = Enumerable.Range(0, transfers).Select(number =>
        {
            var control = random.Next(nodes);
            return Transfer(number, control, (control + 1 + random.Next(nodes - 1)) % nodes);
        });
        var states = Run(cluster, tracks, perTurn, [ConntrackState.New, ConntrackState.Established, ConntrackState.Related]);
        if (states[ConntrackState.Related] != transfers) throw new InvalidOperationException($"{states[ConntrackState.Related]} of {transfers} data connections were RELATED");
        cluster.Wait(ClosedAfter);
        if (cluster.Nodes.Any(node => node.Directory.Count > 0)) throw new InvalidOperationException("an expectation is left");
        return Result("FTP transfer, data by another gateway", cluster, transfers);
    }

    /// <summary>Established connections, each with a packet now and then: what it costs a minute that they live.</summary>
    public static SimulationResult Living(int nodes, int connections, bool isShared)
    {
        var cluster = new SimulatedCluster(nodes, connections);
        var random = new Random(1);
        var begun = Enumerable.Range(0, connections)
            .Select(number => (Tcp: new SimulatedConnection(number, 80), There: random.Next(nodes), Step: 1 + random.Next(nodes - 1))).ToArray();
        Run(cluster, begun.Select(c => Open(c.Tcp, c.There, isShared ? (c.There + c.Step) % nodes : c.There, isShared ? 3 : 0)), 100,
            [ConntrackState.New, ConntrackState.Established]);
        cluster.Wait(TimeSpan.FromSeconds(31));
        var before = Result("", cluster, count: 1);
        const int seconds = 60;
        for (var second = 0; second < seconds; second += 5)
        {
            cluster.Go(begun.Select(c => (c.There, c.Tcp.Ack())));
            cluster.Wait(TimeSpan.FromSeconds(5));
        }
        return Result(isShared ? "a minute of a shared connection's life" : "a minute of a connection's life", cluster, connections, before);
    }

    private static IEnumerable<(int Node, byte[] Packet)> Whole(SimulatedConnection tcp, int there, int back)
    {
        foreach (var packet in Open(tcp, there, back, exchanges: 1)) yield return packet;
        yield return (there, tcp.Fin());
        yield return (back, tcp.FinBack());
        yield return (there, tcp.Ack());
    }

    private static IEnumerable<(int Node, byte[] Packet)> Open(SimulatedConnection tcp, int there, int back, int exchanges)
    {
        yield return (there, tcp.Syn());
        yield return (back, tcp.SynAck());
        yield return (there, tcp.Ack());
        for (var i = 0; i < exchanges; i++)
        {
            yield return (there, tcp.Ask("GET /"));
            yield return (back, tcp.Answer("200 OK"));
        }
    }

    private static IEnumerable<(int Node, byte[] Packet)> Transfer(int number, int control, int data)
    {
        var port = (ushort)(20000 + number % 40000);
        var command = new SimulatedConnection(number, 21);
        yield return (control, command.Syn());
        yield return (control, command.SynAck());
        yield return (control, command.Ack());
        yield return (control, command.Answer("220 ready\r\n"));
        yield return (control, command.Ask("PASV\r\n"));
        yield return (control, command.Answer($"227 Entering Passive Mode (192,0,2,1,{port >> 8},{port & 255})\r\n"));
        foreach (var packet in Whole(new SimulatedConnection(number, port), data, data)) yield return packet;
        yield return (control, command.Fin());
        yield return (control, command.FinBack());
        yield return (control, command.Ack());
    }

    private static Dictionary<ConntrackState, int> Run(SimulatedCluster cluster, IEnumerable<IEnumerable<(int Node, byte[] Packet)>> tracks, int perTurn,
        ConntrackState[] expected)
    {
        var states = expected.ToDictionary(state => state, _ => 0);
        foreach (var node in cluster.Nodes)
        {
            node.Decided = outcome =>
            {
                if (outcome.Fate != PacketFate.Accepted || !states.TryGetValue(outcome.State, out var times))
                    throw new InvalidOperationException($"a packet was {outcome.Fate}, {outcome.State} {outcome.Failure}");
                states[outcome.State] = times + 1;
            };
        }
        var slots = Enumerable.Range(0, Gap).Select(_ => new List<IEnumerator<(int, byte[])>>()).ToArray();
        using var coming = tracks.GetEnumerator();
        var more = true;
        for (var turn = 0; more || slots.Any(slot => slot.Count > 0); turn++)
        {
            var slot = slots[turn % Gap];
            for (var i = 0; more && i < perTurn; i++)
            {
                if (more = coming.MoveNext()) slot.Add(coming.Current.GetEnumerator());
            }
            slot.RemoveAll(track => !track.MoveNext());
            cluster.Go(slot.Select(track => track.Current));
        }
        for (var i = 0; i < Gap; i++) cluster.Go([]);
        return states;
    }

    private static SimulationResult Result(string traffic, SimulatedCluster cluster, int count, SimulationResult? before = null)
    {
        var costs = cluster.Costs;
        var questions = cluster.Nodes.Sum(node => node.Shards.Sum(shard => (long)shard.Shard.Statistics.Questions));
        double Each(double now, double? then) => (now - (then ?? 0)) / count;
        double Time(long ticks) => Stopwatch.GetElapsedTime(0, ticks).TotalMicroseconds;
        return new SimulationResult(traffic, cluster.Nodes.Count, count, Each(questions, before?.Questions), Each(costs.Items, before?.Items),
            Each(costs.Messages, before?.Messages), Each(costs.Bytes, before?.Bytes), Each(costs.ExpectationMessages, before?.ExpectationMessages),
            Each(costs.ExpectationBytes, before?.ExpectationBytes), Each(Time(costs.Workers + costs.Shards + costs.Codec), before?.Microseconds),
            Each(Time(costs.Shards), before?.ShardMicroseconds), Each(Time(costs.Codec), before?.CodecMicroseconds));
    }
}
