using FwCluster.Capture.Files;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Table;
using FwCluster.Datapath;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Fuzz.Targets;

/// <summary>Capture files, through reader, worker and rules to their end or to where they break. Each packet that rules decide counts once.</summary>
internal sealed class CaptureTarget : FuzzTarget
{
    private static readonly CompiledRuleset Rules4 = Compile(IpFamily.IPv4);
    private static readonly CompiledRuleset Rules6 = Compile(IpFamily.IPv6);

    /// <inheritdoc/>
    public override string Name => "capture";

    /// <inheritdoc/>
    public override string Description => "capture files: pcap and pcapng, read and replayed";

    /// <inheritdoc/>
    public override int MaxInputBytes => 8192;

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (var file in SeedCaptures.Files) yield return file;
            var frames = PacketSeeds.All.Select(packet => (byte[])[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, .. EtherType(packet), .. packet]).ToList();
            yield return SeedCaptures.Pcap(LinkType.Ethernet, frames);
            foreach (var frame in frames) yield return SeedCaptures.Pcap(LinkType.Ethernet, [frame]);
            foreach (var link in Enum.GetValues<LinkType>()) yield return SeedCaptures.Pcap(link, PacketSeeds.All.Take(5));
            yield return SeedCaptures.Pcap(LinkType.Ethernet, PacketSeeds.All.Take(3).Select(packet =>
                (byte[])[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0, .. packet]));
        }
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        if (!ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out var error)) throw new InvalidOperationException(error);
        var settings = ConntrackSettings.Default with { MaxEntries = 256, MaxExpectations = 16 };
        var table = new ConnectionTable(settings, helpers, new TupleHash("0123456789abcdef"u8));
        var (ipv4, ipv6) = (ActiveRuleset.From(Rules4), ActiveRuleset.From(Rules6));
        var worker = new PacketWorker(ipv4, ipv6, table,
            new HostAddresses([new HostAddress(IpFamily.IPv4, IpAddress.ReadIPv4([10, 211, 55, 20]), 24)]));
        try
        {
            using var reader = CaptureFileReader.Open(new MemoryStream(input.ToArray()));
            var packets = 0L;
            while (reader.TryRead(out var packet))
            {
                packets++;
                var outcome = worker.Process(new PacketInput
                {
                    Link = packet.Interface.Link,
                    Frame = packet.Data,
                    WireLength = (int)Math.Min(packet.WireLength, int.MaxValue),
                    Time = packet.Timestamp,
                });
                if (packet.Number != packets) throw new InvalidOperationException($"packet {packets} is number {packet.Number}");
            }
            if (reader.PacketCount != packets || worker.Statistics.Frames != (ulong)packets)
                throw new InvalidOperationException($"{packets} packets were read; the reader counts {reader.PacketCount}, the worker {worker.Statistics.Frames}");
        }
        catch (CaptureFormatException)
        {
            // What the reader says of a file that is no capture.
        }
    }

    private static byte[] EtherType(byte[] packet) => packet[0] >> 4 == 6 ? [0x86, 0xdd] : [0x08, 0x00];

    private static CompiledRuleset Compile(IpFamily family)
    {
        var text = """
            *raw
            :PREROUTING ACCEPT [0:0]
            -A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
            COMMIT
            *filter
            :INPUT DROP [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            -A INPUT -p tcp -m state --state NEW,RELATED,ESTABLISHED -j ACCEPT
            -A INPUT -p udp -m udp --dport 53 -j ACCEPT
            -A OUTPUT -m state --state INVALID -j DROP
            -A FORWARD -p tcp -m tcp --tcp-flags SYN,ACK,FIN SYN -j ACCEPT
            COMMIT

            """;
        var read = RulesetReader.Read(text, "fuzz.rules", family);
        return CompiledRuleset.Compile(read.Of(family) ?? throw new InvalidOperationException(string.Join('\n', read.Errors)), seed: 0);
    }
}
