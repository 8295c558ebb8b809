// What the packages are for, in one program: a packet is decoded, tracked, decided and counted; and the control plane's client is made.
using FwCluster.Api.V1;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;
using Grpc.Net.Client;

// 192.0.2.1:12345 asks 198.51.100.7:53 by UDP, one byte.
byte[] packet = [0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0x8e, 0x93, 192, 0, 2, 1, 198, 51, 100, 7, 0x30, 0x39, 0, 53, 0, 9, 0, 0, (byte)'?'];
if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok) throw new InvalidDataException("not decoded");

var now = 1_000_000_000L;
var table = new ConnectionTable(ConntrackSettings.Default, []);
var track = table.Track(headers, packet, default, now);

var read = RulesetReader.Read("""
    *filter
    :FORWARD DROP [0:0]
    -A FORWARD -p udp --dport 53 -m state --state NEW -j ACCEPT
    COMMIT

    """, "rules.v4", IpFamily.IPv4);
foreach (var error in read.Errors) Console.Error.WriteLine(error.Format());
var rules = CompiledRuleset.Compile(read.IPv4!);
var counters = rules.CreateCounters(fromText: false);
var link = default(LinkHeader);
var context = new PacketContext { Headers = ref headers, Packet = packet, Link = ref link, Track = track, Connections = table, Now = now };
var decision = rules.Evaluate(TableId.Filter, Hook.Forward, ref context, counters);
if (decision.Verdict == Verdict.Accept) table.Confirm(ref track, headers, packet, now);
Console.WriteLine($"{track.State} {decision.Verdict} by rule {decision.Rule}, {counters.Read(decision.Chain, 1).Packets} packet, {table.Count} connection");

using var channel = GrpcChannel.ForAddress("http://127.0.0.1:4055");
_ = new RulesetService.RulesetServiceClient(channel);
Console.WriteLine(RulesetService.Descriptor.FullName);
