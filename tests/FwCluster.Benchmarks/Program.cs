using System.Diagnostics;
using FwCluster.Benchmarks;
using FwCluster.Conntrack;
using FwCluster.Packets;

var table = new ConnectionTable(ConntrackSettings.Default with { AutomaticHelpers = false }, []);
long now = 1_700_000_000_000_000_000;
void Run(Traffic t)
{
    for (var i = 0; i < t.Count; i++)
    {
        var packet = t[i];
        if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) throw new InvalidOperationException();
        var result = table.Track(headers, packet, default, now);
        if (result.State == ConntrackState.Invalid) throw new InvalidOperationException(result.Failure.ToString());
        table.Confirm(ref result, headers, packet, now);
    }
}
Run(Traffic.Handshakes(10_000));
var est = Traffic.Established(10_000, 20);
var sw = new Stopwatch();
for (var round = 0; round < 12; round++)
{
    sw.Restart();
    for (var k = 0; k < 20; k++) Run(est);
    var n = est.Count * 20;
    Console.WriteLine($"established {n / sw.Elapsed.TotalSeconds / 1e6:f2} M/s {sw.Elapsed.TotalNanoseconds / n:f1} ns");
}
for (var round = 0; round < 6; round++)
{
    table = new ConnectionTable(ConntrackSettings.Default with { AutomaticHelpers = false }, []);
    var s = Traffic.Short(50_000, 1000);
    sw.Restart();
    Run(s);
    Console.WriteLine($"short {s.Count / sw.Elapsed.TotalSeconds / 1e6:f2} M/s");
}
sw.Restart(); 
for (int r=0;r<200;r++) for (int i=0;i<est.Count;i++) { var p=est[i]; PacketDecoder.Decode(p,p.Length,out var h); }
Console.WriteLine($"decode {sw.Elapsed.TotalNanoseconds/(200*est.Count):f1}");
