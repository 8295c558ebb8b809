using System.Diagnostics;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Conntrack.Table;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>
/// Many nodes in one process and thread, with virtual time: real workers, shards, directories and codec; only the actors and the wire between them are
/// not there. Time goes by turns: what is sent in one arrives in the next, and what a node sends to another in one turn is one message.
/// </summary>
internal sealed class SimulatedCluster
{
    /// <summary>How long a turn is.</summary>
    public static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(1);

    private const int ShardsPerNode = 4;
    private const int TickEvery = 100;

    private readonly SimulatedNode[] _nodes;
    private List<Action> _arriving = [];
    private List<Action> _sent = [];
    private int _turns;

    public SimulatedCluster(int nodes, int connections)
    {
        IReadOnlyList<ConnectionHelper> helpers = [new FtpHelper { Ports = [FtpHelper.DefaultPort] }];
        Codec = new ShardCodec(new HelperNames(helpers));
        Shards = nodes * ShardsPerNode;
        var settings = ConntrackSettings.Default with { MaxEntries = Math.Max(1 << 16, connections * 2), MaxExpectations = 1 << 20 };
        _nodes = [.. Enumerable.Range(0, nodes).Select(number => new SimulatedNode(this, number, settings, helpers))];
    }

    public TupleHash Hash { get; } = new("0123456789abcdef"u8);

    public ShardCodec Codec { get; }

    public int Shards { get; }

    public IReadOnlyList<SimulatedNode> Nodes => _nodes;

    public Costs Costs { get; } = new();

    public long Now { get; private set; } = 1_700_000_000_000_000_000;

    /// <summary>The node that has a shard.</summary>
    public SimulatedNode NodeOf(int shard) => _nodes[shard % _nodes.Length];

    /// <summary>Takes one turn: what was sent arrives, packets come, and all that makes the nodes say is sent.</summary>
    /// <param name="packets">The packets, each with its node's number.</param>
    public void Go(IEnumerable<(int Node, byte[] Packet)> packets)
    {
        Now += (long)Turn.TotalNanoseconds;
        (_arriving, _sent) = (_sent, _arriving);
        foreach (var message in _arriving) message();
        _arriving.Clear();
        foreach (var (node, packet) in packets) _nodes[node].Receive(packet);
        var tick = ++_turns % TickEvery == 0;
        foreach (var node in _nodes) node.Finish(tick);
    }

    /// <summary>Lets time pass in which workers only report.</summary>
    public void Wait(TimeSpan time)
    {
        Now += (long)time.TotalNanoseconds;
        foreach (var node in _nodes) node.Idle();
        for (var i = 0; i < 3; i++) Go([]);
    }

    /// <summary>Has something arrive in the next turn.</summary>
    public void Send(Action message) => _sent.Add(message);

    /// <summary>Times something on behalf of one of the costs.</summary>
    public static long Since(long start) => Stopwatch.GetTimestamp() - start;
}
