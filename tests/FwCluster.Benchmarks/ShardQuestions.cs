using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using FwCluster.Cluster;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath.Shards;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Benchmarks;

/// <summary>New connections, asked about by one worker: with the shards in this process, and with all of them in another one. What is measured is two
/// processes of one machine.</summary>
internal sealed class ShardQuestions : IAsyncDisposable
{
    private const string Key = "000102030405060708090a0b0c0d0e0f";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);

    private readonly ClusterNode _node;
    private readonly IShardLink _link;
    private readonly AutoResetEvent _woken = new(false);
    private readonly byte[] _packet = PacketBuilder.Tcp(PacketAddresses.Parse("10.0.0.1", "10.1.0.1"), 1024, 80, TcpFlags.Syn, 1000);
    private readonly FlowTuple _tuple;
    private uint _asked;

    private ShardQuestions(ClusterNode node)
    {
        _node = node;
        _link = node.OpenLink(0, () => _woken.Set());
        if (PacketDecoder.Decode(_packet, _packet.Length, out var headers) != DecodeResult.Ok) throw new InvalidOperationException("the packet is wrong");
        _tuple = headers.Tuple;
    }

    /// <summary>Measures both and prints.</summary>
    public static async Task RunAsync(int seconds, int batch, int waiting)
    {
        await using (var here = await StartAsync(new ClusterSettings { Key = Key, Port = 0, LinkPort = 0, MaxQuestions = waiting * 2 }))
            here.Measure("here", seconds, batch, waiting);

        using var other = StartOther(out var seed);
        try
        {
            var settings = new ClusterSettings { Key = Key, Port = 0, LinkPort = 0, Seeds = [seed], Roles = [ClusterRoles.Capture], MaxQuestions = waiting * 2 };
            await using var there = await StartAsync(settings);
            there.Measure("there", seconds, batch, waiting);
        }
        finally
        {
            other.Kill();
            await other.WaitForExitAsync();
        }
    }

    /// <summary>Has all shards, says where, and waits until its standard input ends.</summary>
    public static async Task RunOtherAsync()
    {
        await using var node = await StartAsync(new ClusterSettings { Key = Key, Port = 0, LinkPort = 0, Roles = [ClusterRoles.Conntrack] });
        await Console.Out.WriteLineAsync($"{node._node.Address.Host}:{node._node.Address.Port}");
        await Console.In.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _woken.Dispose();
    }

    private static async Task<ShardQuestions> StartAsync(ClusterSettings settings)
    {
        if (!ConnectionHelpers.TryCreate("ftp", out var helpers, out var error)) throw new InvalidOperationException(error);
        var table = new ConntrackSettings { MaxEntries = 1_000_000 };
        var quiet = Akka.Configuration.ConfigurationFactory.ParseString("akka.loglevel = ERROR");
        var node = await ClusterNode.StartAsync(settings, helpers, _ => new ConnectionTable(table, helpers), Now, quiet);
        var clock = Stopwatch.StartNew();
        while (!node.KnowsAllShards || !node.HasLinks)
        {
            if (clock.Elapsed > StartTime) throw new TimeoutException("the shards have no place, or no link");
            await Task.Delay(20);
        }
        return new ShardQuestions(node);
    }

    private static Process StartOther(out string seed)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["shards-other"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        var other = Process.Start(start)!;
        seed = other.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the other process has not started");
        return other;
    }

    private void Measure(string where, int seconds, int batch, int waiting)
    {
        Ask(2 * seconds / 3, batch, waiting); // everything is compiled now
        var before = _node.Statistics.BatchesSent;
        var allocated = GC.GetTotalAllocatedBytes();
        var (questions, took) = Ask(seconds, batch, waiting);
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        var messages = _node.Statistics.BatchesSent - before;
        var latencies = new List<double>();
        for (var i = 0; i < 2000; i++) latencies.Add(AskOne());
        latencies.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"shards {where}: {questions / took:n0} new connections/s ({batch} a batch, {waiting} waiting, {(double)messages / questions:f4} messages and "
            + $"{(double)allocated / questions:f0} bytes allocated each in the asking process); alone: p50 {latencies[1000]:f0} us, p99 {latencies[1980]:f0} us"));
    }

    private (long Questions, double Seconds) Ask(int seconds, int batch, int waiting)
    {
        var clock = Stopwatch.StartNew();
        long answered = 0, asked = 0;
        while (clock.Elapsed.TotalSeconds < seconds || answered < asked)
        {
            if (clock.Elapsed.TotalSeconds < seconds && asked - answered + batch <= waiting)
            {
                for (var i = 0; i < batch; i++) Send();
                asked += batch;
                _link.Flush();
            }
            else if (answered < asked)
            {
                _woken.WaitOne(100);
            }
            while (_link.TryReceive(out var reply)) answered += Check(in reply);
            if (clock.Elapsed.TotalSeconds > seconds + 10) throw new TimeoutException($"{asked - answered} questions have no answer");
        }
        return (answered, clock.Elapsed.TotalSeconds);
    }

    private double AskOne()
    {
        var began = Stopwatch.GetTimestamp();
        Send();
        _link.Flush();
        for (var answered = 0; answered == 0;)
        {
            _woken.WaitOne(1000);
            while (_link.TryReceive(out var reply)) answered += Check(in reply); // up to the end, or nobody wakes us again
        }
        return Stopwatch.GetElapsedTime(began).TotalMicroseconds;
    }

    private static int Check(in ShardReply reply)
        => reply.Kind == ShardReplyKind.Answer && reply.State == ConntrackState.New && reply.HasEntry
            ? 1
            : throw new InvalidOperationException($"an answer that was not expected: {reply.Kind} {reply.State} {reply.Failure}");

    private void Send()
    {
        var tuple = _tuple;
        tuple.Source = new IpAddress(0, 0x0a000000 + ++_asked / 60000);
        tuple.SourcePort = (ushort)(1024 + _asked % 60000);
        tuple.Source.Write(IpFamily.IPv4, _packet.AsSpan(12, 4));
        BinaryPrimitives.WriteUInt16BigEndian(_packet.AsSpan(20), tuple.SourcePort);
        WriteHeaderChecksum(_packet);
        var request = new ShardRequest
        {
            Kind = ShardRequestKind.Ask, Id = _asked, Tuple = tuple, Accepts = AcceptedStates.New, WireLength = _packet.Length,
            Template = new ConnectionTemplate { Checksum = ChecksumCheck.Right },
        };
        if (!_link.TrySend(in request, _packet)) throw new InvalidOperationException("a question was refused");
    }

    private static void WriteHeaderChecksum(Span<byte> packet)
    {
        packet[10] = packet[11] = 0;
        uint sum = 0;
        for (var i = 0; i < 20; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~((sum & 0xffff) + (sum >> 16)));
    }

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
}
