using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Sets;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.Matches;

/// <summary>A rule in INPUT, asked about packets at given times.</summary>
internal sealed class RuleRun
{
    /// <summary>When the first second begins.</summary>
    public static readonly DateTime Start = new(2026, 3, 4, 12, 0, 0, DateTimeKind.Utc);

    private readonly CompiledRuleset _rules;
    private LinkHeader _link;

    public RuleRun(params string[] rules)
        : this(SetCollection.Empty, rules)
    {
    }

    public RuleRun(SetCollection sets, params string[] rules)
    {
        var text = "*filter\n" + string.Concat(rules.Select(r => $"-A INPUT {r} -j DROP\n")) + "COMMIT\n";
        var read = RulesetReader.Read(text, "rules", IpFamily.IPv4, ReaderSettings.Default with { Sets = sets });
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));
        _rules = CompiledRuleset.Compile(read.IPv4!, seed: 7);
    }

    /// <summary>The connections that the packets' own are looked up in.</summary>
    public ConnectionTable Connections { get; } = new(ConntrackSettings.Default, []);

    /// <summary>Does a rule match a packet that comes so many seconds after <see cref="Start"/>?</summary>
    public bool Matches(double seconds, string source = "192.0.2.1", string destination = "192.0.2.99", ushort port = 80, int payload = 0, byte ttl = 64)
        => Matches(PacketBuilder.Udp(PacketAddresses.Parse(source, destination), 40000, port, new byte[payload], new IpFields { Ttl = ttl }), seconds);

    /// <summary>Does a rule match it?</summary>
    public bool Matches(byte[] packet, double seconds, bool tracked = false)
    {
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet, packet.Length, out var headers));
        var now = (Start - DateTime.UnixEpoch).Ticks * 100 + (long)(seconds * 1e9);
        var track = tracked ? Connections.Track(headers, packet, default, now) : new TrackResult { Connection = -1 };
        var context = new PacketContext
        {
            Headers = ref headers,
            Packet = packet,
            Link = ref _link,
            Hook = Hook.Input,
            Track = track,
            Connections = Connections,
            Now = now,
        };
        var matches = _rules.Evaluate(TableId.Filter, Hook.Input, ref context, null).Verdict == Verdict.Drop;
        if (!tracked) return matches;
        if (matches) Connections.Discard(ref track);
        else Connections.Confirm(ref track, headers, packet, now);
        return matches;
    }

    /// <summary>How many of so many packets at once match.</summary>
    public int CountAt(double seconds, int packets, string source = "192.0.2.1", int payload = 0)
        => Enumerable.Range(0, packets).Count(_ => Matches(seconds, source, payload: payload));
}
