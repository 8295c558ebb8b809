using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Netlink;
using FwCluster.Capture.Queue;

// Arguments: name=value. Accepts every packet of its queues until SIGTERM; says "ready", and its counts at the end.
var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair.Length > 1 ? pair[1] : "");
int Number(string name, int otherwise)
    => options.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

var stopping = false;
using var stop = new ManualResetEventSlim();
var ports = new List<QueuePort>();
try
{
    using var names = InterfaceNames.Open();
    for (var i = 0; i < Number("queues", 1); i++)
    {
        ports.Add(QueuePort.Open(new QueueSettings
        {
            Number = Number("first", 0) + i,
            FailOpen = options.ContainsKey("fail-open"),
            BatchSize = Number("batch", 64),
            MaxLength = Number("length", 8192),
        }, names));
    }

    using var rules = options.ContainsKey("divert")
        ? DivertRules.Install(new DivertSettings
        {
            FirstQueue = Number("first", 0),
            QueueCount = Math.Max(ports.Count, 1),
            FailOpen = options.ContainsKey("fail-open"),
            ExemptPorts = options.ContainsKey("exempt") ? [ExemptPort.Tcp(Number("exempt", 0))] : [],
        })
        : null;

    using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
    {
        context.Cancel = true;
        stop.Set();
    });
    var threads = ports.Select(port => new Thread(() => Serve(port))).ToList();
    foreach (var thread in threads) thread.Start();
    Console.WriteLine("ready");
    stop.Wait();
    // The rules go first: until then every packet needs somebody to answer for it.
    rules?.Remove();
    Volatile.Write(ref stopping, true);
    foreach (var port in ports) port.Wake();
    foreach (var thread in threads) thread.Join();
    foreach (var port in ports)
    {
        var s = port.Statistics;
        port.TryReadKernelCounters(out var kernel);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"queue {port.Number}: {s.Packets} packets {s.Bytes} bytes {s.Batches} batches {s.Overruns} overruns {s.RefusedVerdicts} refused {s.Malformed} malformed {kernel}"));
        port.Dispose();
    }
    return 0;
}
catch (Exception exception) when (exception is NetlinkException or DivertException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

void Serve(QueuePort port)
{
    var hold = Number("work-ns", 0);
    while (!Volatile.Read(ref stopping))
    {
        port.Receive(-1);
        while (port.TryNext(out var packet))
        {
            if (hold > 0) Spin(hold);
            port.Accept(packet.Id);
        }
    }
}

static void Spin(int nanoseconds)
{
    var start = Stopwatch.GetTimestamp();
    while (Stopwatch.GetElapsedTime(start).TotalNanoseconds < nanoseconds) { }
}
