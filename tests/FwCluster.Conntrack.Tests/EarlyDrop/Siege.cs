using System.Diagnostics;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Tests.EarlyDrop;

/// <summary>Fills a table with connections of each class, floods it, and tells which of them survive:
/// 1. opens some of each class, and SYNs until the table is full;
/// 2. floods it with as many SYNs again: what is not ASSURED makes room;
/// 3. floods it with whole connections, until there is hardly anything but ASSURED ones and it refuses;
/// 4. goes on with that until it has collected what may go under such pressure.</summary>
internal sealed class Siege(FullTable table)
{
    private const ushort FillerPort = 201;
    private const ushort FloodPort = 202;
    private const ushort CrowdPort = 203;
    private const ushort PressPort = 204;

    /// <summary>The pressure has gone on for long enough when each class of those that may go has come down to this part.</summary>
    public const double Pressed = 0.95;

    private static readonly TimeSpan StreamAfter = TimeSpan.FromSeconds(2.2);

    private readonly Dictionary<FlowTuple, ConnectionClass> _opened = [];

    /// <summary>SYNs that the flood of SYNs could not get in.</summary>
    public int RefusedSyns { get; private set; }

    /// <summary>Whole connections that were refused when the others were ASSURED.</summary>
    public int RefusedConnections { get; private set; }

    /// <summary>Of each class the part that survived the flood of SYNs, from 0 to 1.</summary>
    public IReadOnlyDictionary<ConnectionClass, double> AfterSyns { get; private set; } = null!;

    /// <summary>Of each class the part that was there when whole connections were refused.</summary>
    public IReadOnlyDictionary<ConnectionClass, double> AfterCrowd { get; private set; } = null!;

    /// <summary>Of each class the part that survived the pressure.</summary>
    public IReadOnlyDictionary<ConnectionClass, double> AfterPressure { get; private set; } = null!;

    /// <summary>Does it.</summary>
    public Siege Run()
    {
        Open();
        for (var i = table.Max - table.Count; i > 0; i--) Assert.True(table.Send(ConnectionClass.Tcp(i, FillerPort, 1)[0]), $"refused at {table.Count} of {table.Max}");
        Assert.All(Survivors(), survivor => Assert.Equal(1, survivor.Value));

        for (var i = table.Max; i > 0; i--) if (!table.Send(ConnectionClass.Tcp(i, FloodPort, 1)[0])) RefusedSyns++;
        AfterSyns = Survivors();

        Crowd();
        AfterCrowd = Survivors();

        Press();
        return this;
    }

    private void Open()
    {
        var each = Math.Max(64, table.Max / 1024);
        foreach (var kind in ConnectionClass.All)
        {
            for (var i = 0; i < each; i++)
            {
                var packets = kind.Packets(i);
                Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packets[0], packets[0].Length, out var headers));
                _opened.Add(headers.Tuple, kind);
                foreach (var packet in packets) Assert.True(table.Send(packet), $"{kind} refused");
            }
        }
        table.Wait(StreamAfter);
        foreach (var kind in ConnectionClass.All)
            for (var i = 0; i < each; i++)
                foreach (var packet in kind.Later?.Invoke(i) ?? []) table.Send(packet);
    }

    /// <summary>Whole connections, until two of three are refused.</summary>
    private void Crowd()
    {
        const int window = 1000;
        var (before, max) = (0, table.Max);
        for (var i = 0; i < 4 * max; i++)
        {
            if (i % window == 0)
            {
                if (RefusedConnections - before > window * 2 / 3) return;
                before = RefusedConnections;
            }
            Connect(i, CrowdPort);
        }
        Assert.Fail("the table never got full of connections that are in use");
    }

    /// <summary>Goes on with it. The kernel begins to collect once a minute at the latest, and each refused connection costs a few.</summary>
    private void Press()
    {
        var next = 0;
        for (var round = 0; round < 25; round++)
        {
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < table.CollectsWithin; table.Wait(TimeSpan.FromMilliseconds(1)))
            {
                Connect(next++, PressPort);
                table.Collect();
            }
            AfterPressure = Survivors();
            if (AfterPressure.Where(survivor => survivor.Key.Goes == Goes.UnderPressure).All(survivor => survivor.Value < Pressed)) return;
        }
    }

    private void Connect(int number, ushort port)
    {
        var packets = ConnectionClass.Tcp(number, port, 3);
        if (table.Send(packets[0]))
        {
            table.Send(packets[1]);
            table.Send(packets[2]);
        }
        else
        {
            RefusedConnections++;
        }
    }

    private Dictionary<ConnectionClass, double> Survivors()
    {
        var left = ConnectionClass.All.ToDictionary(kind => kind, _ => 0);
        foreach (var tuple in table.Entries()) if (_opened.TryGetValue(tuple, out var kind)) left[kind]++;
        var opened = _opened.Values.CountBy(kind => kind).ToDictionary();
        return left.ToDictionary(count => count.Key, count => (double)count.Value / opened[count.Key]);
    }
}
