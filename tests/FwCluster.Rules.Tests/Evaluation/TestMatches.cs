using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Tests.Evaluation;

/// <summary>A match on one field by ranges, to test evaluation without the language's own matches.</summary>
internal sealed class FieldMatch(PacketField field, bool inverted, params FieldRange[] ranges) : Match
{
    public override string Name => "test";

    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var value = Value(ref packet);
        var within = false;
        foreach (var range in ranges) within |= value >= range.First && value <= range.Last;
        return within != inverted;
    }

    public override void Write(RuleWriter writer) => writer.Word($"{field} {(inverted ? "! " : "")}{string.Join(',', ranges)}");

    public override void List(ListingWriter writer)
    {
    }

    public override void Constrain(RuleConstraints constraints) => constraints.Restrict(field, ranges, inverted);

    private UInt128 Value(ref PacketContext packet) => field switch
    {
        PacketField.Protocol => packet.Headers.Protocol,
        PacketField.Source => packet.Headers.Source.Value,
        PacketField.Destination => packet.Headers.Destination.Value,
        PacketField.SourcePort => packet.Headers.SourcePort,
        PacketField.DestinationPort => packet.Headers.DestinationPort,
        PacketField.In => RuleConstraints.ByteOrder(packet.In.Value),
        PacketField.Out => RuleConstraints.ByteOrder(packet.Out.Value),
        _ => (UInt128)(byte)packet.Track.State,
    };
}

/// <summary>Drops what it is asked about.</summary>
internal sealed class HotDropMatch : Match
{
    public override string Name => "hot";

    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        hotDrop = true;
        return false;
    }

    public override void Write(RuleWriter writer) => writer.Word("hot");

    public override void List(ListingWriter writer)
    {
    }
}

/// <summary>Matches every second packet that it is asked about, so that how often it is asked shows.</summary>
internal sealed class EverySecondMatch : Match
{
    private bool _odd;

    public override string Name => "second";

    public override bool Remembers => true;

    public override bool Matches(ref PacketContext packet, ref bool hotDrop) => _odd = !_odd;

    public override Match Bind(MatchMemory memory) => new EverySecondMatch();

    public override void Write(RuleWriter writer) => writer.Word("second");

    public override void List(ListingWriter writer)
    {
    }
}

internal sealed class VerdictTarget(Verdict verdict) : Target
{
    public override string Name => verdict.ToString();

    public override Verdict Apply(ref PacketContext packet) => verdict;
}

/// <summary>Short ways to say rulesets and packets.</summary>
internal static class Make
{
    public static Rule Rule(Verdict? verdict, params Match[] matches)
        => new([.. matches], verdict is { } v ? new VerdictTarget(v) : null, null, false, default, 0);

    public static Rule Jump(string chain, params Match[] matches) => new([.. matches], null, chain, false, default, 0);

    public static Rule Goto(string chain, params Match[] matches) => new([.. matches], null, chain, true, default, 0);

    public static Chain Input(Verdict policy, params Rule[] rules) => new("INPUT", Hook.Input, policy, default, [.. rules]);

    public static Chain User(string name, params Rule[] rules) => new(name, null, Verdict.Return, default, [.. rules]);

    public static Ruleset Filter(params Chain[] chains) => new(IpFamily.IPv4, [new Table("filter", [.. chains])]);

    public static Match Port(int port, bool inverted = false) => new FieldMatch(PacketField.DestinationPort, inverted, Range(port, port));

    public static FieldRange Range(int first, int last) => new((UInt128)first, (UInt128)last);

    public static ImmutableArray<T> Repeat<T>(int count, Func<int, T> make) => [.. Enumerable.Range(0, count).Select(make)];
}

/// <summary>A packet to be evaluated, as plain values.</summary>
internal sealed class TestPacket
{
    private LinkHeader _link;
    public PacketHeaders Headers;

    public TestPacket() => Headers = new() { Family = IpFamily.IPv4, TotalLength = 100, Transport = TransportHeader.Whole };

    public InterfaceName In { get; init; }

    public InterfaceName Out { get; init; }

    public ConntrackState State { get; init; }

    public long Now { get; init; }

    public byte[] Bytes { get; init; } = [];

    public static TestPacket ToPort(int port)
    {
        var packet = new TestPacket();
        packet.Headers.DestinationPort = (ushort)port;
        return packet;
    }

    public ref LinkHeader Link => ref _link;

    public PacketContext Context(Hook hook = Hook.Input) => new()
    {
        Headers = ref Headers,
        Packet = Bytes,
        Link = ref _link,
        In = In,
        Out = Out,
        Hook = hook,
        Track = new() { State = State, Connection = -1 },
        Connections = null!,
        AddressTypes = null!,
        Log = null!,
        Now = Now,
    };
}
