using CsCheck;
using FwCluster.Conntrack;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;
using static FwCluster.Rules.Tests.Evaluation.Make;

namespace FwCluster.Rules.Tests.Evaluation;

/// <summary>A chain with a classifier decides and counts as the same rules walked one by one do.</summary>
public class ClassifierTests
{
    private static readonly PacketField[] Fields = Enum.GetValues<PacketField>();

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Classifier_changes_nothing(IpFamily family)
        => Gen.Select(GenRules(family), Gen.Int[0, int.MaxValue]).Sample((rules, seed) => AssertSame(family, rules, seed), iter: 300);

    [Theory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Classifier_of_many_rules_changes_nothing(IpFamily family)
        => Gen.Select(GenManyRules(family), Gen.Int[0, int.MaxValue]).Sample((rules, seed) => AssertSame(family, rules, seed), iter: 4);

    [Fact]
    public void Wide_overlapping_ranges_stay_bounded()
    {
        // Every range holds every other's middle: exact rows would take 10,000 x 2 x 157 words for each of the four fields.
        const int Count = 10_000;
        var ranges = Repeat(Count, i => new FieldRange((UInt128)(uint)(i * 1000), (UInt128)(uint)(4_000_000_000 - i * 1000)));
        var ports = Repeat(Count, i => Range(i, 65535 - i));
        var rules = Repeat(Count, i => Rule(
            null,
            new FieldMatch(PacketField.Source, false, ranges[i]),
            new FieldMatch(PacketField.Destination, false, ranges[Count - 1 - i]),
            new FieldMatch(PacketField.SourcePort, false, ports[i]),
            new FieldMatch(PacketField.DestinationPort, false, ports[Count - 1 - i])));
        var before = GC.GetTotalMemory(true);
        var run = new CompiledRulesetTests.Run(Filter(Input(Verdict.Accept, [.. rules])));
        var grown = GC.GetTotalMemory(true) - before;
        Assert.InRange(grown, 0, 100L << 20);
        var packet = new TestPacket();
        packet.Headers.Source = new(0, 5_000_000);
        packet.Headers.Destination = new(0, 5_000_000);
        packet.Headers.SourcePort = packet.Headers.DestinationPort = 30000;
        run.Evaluate(packet);
        var counted = run.Packets(0);
        for (var i = 0; i < Count; i++) Assert.Equal(i <= 5000 && Count - 1 - i <= 5000 ? 1ul : 0ul, counted[i + 1]);
    }

    [Fact]
    public void Rule_behind_one_that_remembers_does_not_keep_it_from_being_asked()
    {
        Rule[] rules = [Rule(Verdict.Accept, new EverySecondMatch(), Port(1)), .. Repeat(20, i => Rule(Verdict.Drop, Port(100 + i)))];
        var run = new CompiledRulesetTests.Run(Filter(Input(Verdict.Drop, rules)));
        Assert.Equal(0, run.Evaluate(TestPacket.ToPort(2)).Rule);
        Assert.Equal(0, run.Evaluate(TestPacket.ToPort(1)).Rule);
        Assert.Equal(1, run.Evaluate(TestPacket.ToPort(1)).Rule);
    }

    [Fact]
    public void Unreadable_header_meets_every_match_that_would_drop_it()
    {
        Rule[] rules = [Rule(Verdict.Accept, new HotDropMatch(), Port(1)), .. Repeat(20, i => Rule(Verdict.Drop, Port(100 + i)))];
        var run = new CompiledRulesetTests.Run(Filter(Input(Verdict.Drop, rules)));
        var packet = TestPacket.ToPort(2);
        packet.Headers.Transport = TransportHeader.Malformed;
        Assert.True(run.Evaluate(packet).IsHotDrop);
    }

    private static void AssertSame(IpFamily family, Rule[] rules, int seed)
    {
        var linear = new CompiledRulesetTests.Run(Ruleset(family, rules, walked: true));
        var classified = new CompiledRulesetTests.Run(Ruleset(family, rules, walked: false));
        Assert.All(linear.Ruleset.Chains, c => Assert.Null(c.Classifier));
        var random = new Random(seed);
        for (var p = 0; p < 50; p++)
        {
            var packet = RandomPacket(family, random);
            Assert.Equal(linear.Evaluate(packet), classified.Evaluate(packet));
        }
        for (var c = 0; c < linear.Ruleset.Chains.Length; c++) Assert.Equal(linear.Packets(c), classified.Packets(c));
    }

    /// <summary>The rules in two halves, the second a user chain that jumps stand in the first for. Walked: each match is asked.</summary>
    private static Ruleset Ruleset(IpFamily family, Rule[] rules, bool walked)
    {
        if (walked) rules = [.. rules.Select(r => r with { Matches = [.. r.Matches.Select(m => new Opaque(m))] })];
        var half = rules.Length / 2;
        var first = rules[..half];
        for (var i = 7; i < half; i += 20) first[i] = first[i] with { Target = null, Chain = "A", IsGoto = i % 40 == 7 };
        return new(family, [new Table("filter", [Input(Verdict.Drop, first), User("A", rules[half..])])]);
    }

    private static Gen<Rule[]> GenRules(IpFamily family) => GenRule(family).Array[10, 120];

    private static Gen<Rule[]> GenManyRules(IpFamily family) => GenRule(family).Array[9000, 12000];

    private static Gen<Rule> GenRule(IpFamily family)
        => Gen.Select(
            Gen.Int[0, Fields.Length - 1].Select(i => Fields[i]).Array[0, 4],
            Gen.Int[0, int.MaxValue],
            Gen.Frequency((20, Gen.Const((Verdict?)null)), (1, Gen.Int[1, 4].Select(i => (Verdict?)i))),
            (fields, seed, verdict) =>
            {
                var random = new Random(seed);
                return Rule(verdict, [.. fields.Select(f => RandomMatch(f, family, random))]);
            });

    private static FieldMatch RandomMatch(PacketField field, IpFamily family, Random random)
    {
        var ranges = new FieldRange[random.Next(1, 4)];
        for (var i = 0; i < ranges.Length; i++)
        {
            var (a, b) = (RandomValue(field, family, random), RandomValue(field, family, random));
            ranges[i] = random.Next(3) == 0 ? new(UInt128.Min(a, b), UInt128.Max(a, b)) : new(a, a);
        }
        return new FieldMatch(field, random.Next(4) == 0, ranges);
    }

    // Few enough values to meet often, at both ends of each field's numbers and crowded in the middle.
    private static UInt128 RandomValue(PacketField field, IpFamily family, Random random)
    {
        var small = (UInt128)(uint)random.Next(6);
        return field switch
        {
            PacketField.Protocol => random.Next(3) == 0 ? 255 - small : small,
            PacketField.State => small,
            PacketField.SourcePort or PacketField.DestinationPort => random.Next(3) switch { 0 => small, 1 => 1000 + small, _ => 65535 - small },
            PacketField.In or PacketField.Out => RuleConstraints.ByteOrder(InterfaceName.From($"eth{small}").Value),
            _ when family == IpFamily.IPv4 => random.Next(3) switch { 0 => small, 1 => 0x0a000000 + small * 256, _ => uint.MaxValue - small },
            _ => random.Next(4) switch { 0 => small, 1 => (small << 64) + 5, 2 => ((UInt128)0x20010db8 << 96) + small, _ => UInt128.MaxValue - small },
        };
    }

    private static TestPacket RandomPacket(IpFamily family, Random random)
    {
        var packet = new TestPacket
        {
            In = random.Next(3) == 0 ? default : InterfaceName.From($"eth{random.Next(6)}"),
            Out = InterfaceName.From($"eth{random.Next(6)}"),
            State = (ConntrackState)random.Next(6),
        };
        ref var headers = ref packet.Headers;
        headers.Family = family;
        headers.TotalLength = random.Next(40, 1500);
        headers.Protocol = (byte)RandomValue(PacketField.Protocol, family, random);
        headers.Source = IpAddress.FromValue(RandomValue(PacketField.Source, family, random));
        headers.Destination = IpAddress.FromValue(RandomValue(PacketField.Destination, family, random));
        headers.SourcePort = (ushort)RandomValue(PacketField.SourcePort, family, random);
        headers.DestinationPort = (ushort)RandomValue(PacketField.DestinationPort, family, random);
        if (random.Next(20) == 0) headers.Transport = TransportHeader.Malformed;
        return packet;
    }

    /// <summary>A match that tells a classifier nothing.</summary>
    private sealed class Opaque(Match match) : Match
    {
        public override string Name => match.Name;

        public override bool Matches(ref PacketContext packet, ref bool hotDrop) => match.Matches(ref packet, ref hotDrop);

        public override void Write(RuleWriter writer) => match.Write(writer);

        public override void List(ListingWriter writer) => match.List(writer);
    }
}
