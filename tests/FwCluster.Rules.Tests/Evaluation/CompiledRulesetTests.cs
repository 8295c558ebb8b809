using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using static FwCluster.Rules.Tests.Evaluation.Make;

namespace FwCluster.Rules.Tests.Evaluation;

/// <summary>What a chain comes to, and what is counted on the way: <c>ipt_do_table</c>.</summary>
public class CompiledRulesetTests
{
    [Fact]
    public void No_chain_for_the_hook_accepts()
    {
        var run = new Run(Filter(Input(Verdict.Drop)));
        Assert.Equal(Decision.NoChain, run.Evaluate(TestPacket.ToPort(1), TableId.Filter, Hook.Forward));
        Assert.Equal(Decision.NoChain, run.Evaluate(TestPacket.ToPort(1), TableId.Raw, Hook.PreRouting));
    }

    [Fact]
    public void First_rule_that_matches_decides_and_only_it_counts()
    {
        var run = new Run(Filter(Input(Verdict.Drop, Rule(Verdict.Drop, Port(1)), Rule(Verdict.Accept, Port(2)), Rule(Verdict.Drop, Port(2)))));
        Assert.Equal(new Decision(Verdict.Accept, 0, 2, false, null), run.Evaluate(TestPacket.ToPort(2)));
        Assert.Equal([0ul, 0, 1, 0], run.Packets(0));
        Assert.Equal(100ul, run.Counters.Read(0, 2).Bytes);
    }

    [Fact]
    public void Policy_decides_and_counts_what_no_rule_decided()
    {
        var run = new Run(Filter(Input(Verdict.Drop, Rule(null, Port(2)), Rule(Verdict.Continue))));
        Assert.Equal(new Decision(Verdict.Drop, 0, 0, false, null), run.Evaluate(TestPacket.ToPort(2)));
        Assert.Equal([1ul, 1, 1], run.Packets(0));
    }

    [Fact]
    public void User_chain_that_decides_nothing_leads_back_behind_the_jump()
    {
        var run = new Run(Filter(
            Input(Verdict.Drop, Jump("A"), Rule(Verdict.Accept)),
            User("A", Jump("B", Port(2)), Rule(Verdict.Return, Port(2)), Rule(Verdict.Drop, Port(2))),
            User("B", Rule(null))));
        Assert.Equal(new Decision(Verdict.Accept, 0, 2, false, null), run.Evaluate(TestPacket.ToPort(2)));
        Assert.Equal([0ul, 1, 1], run.Packets(0));
        Assert.Equal([0ul, 1, 1, 0], run.Packets(1));
        Assert.Equal([0ul, 1], run.Packets(2));
    }

    [Fact]
    public void Goto_leads_back_to_the_last_jump_or_to_the_policy()
    {
        var run = new Run(Filter(
            Input(Verdict.Accept, Jump("A", Port(1)), Goto("B", Port(2)), Rule(Verdict.Drop)),
            User("A", Goto("B"), Rule(Verdict.Accept)),
            User("B", Rule(null))));
        Assert.Equal(new Decision(Verdict.Drop, 0, 3, false, null), run.Evaluate(TestPacket.ToPort(1)));
        Assert.Equal(new Decision(Verdict.Accept, 0, 0, false, null), run.Evaluate(TestPacket.ToPort(2)));
        Assert.Equal([1ul, 1, 1, 1], run.Packets(0));
        Assert.Equal([0ul, 1, 0], run.Packets(1));
        Assert.Equal([0ul, 2], run.Packets(2));
    }

    [Fact]
    public void Return_in_a_built_in_chain_is_the_policy()
    {
        var run = new Run(Filter(Input(Verdict.Drop, Rule(Verdict.Return), Rule(Verdict.Accept))));
        Assert.Equal(new Decision(Verdict.Drop, 0, 0, false, null), run.Evaluate(TestPacket.ToPort(1)));
        Assert.Equal([1ul, 1, 0], run.Packets(0));
    }

    [Fact]
    public void Deciding_chain_is_the_one_of_the_rule()
    {
        var run = new Run(Filter(Input(Verdict.Accept, Jump("A")), User("A", Rule(Verdict.Drop, Port(9)), Rule(Verdict.Reject))));
        var decision = run.Evaluate(TestPacket.ToPort(1));
        Assert.Equal((Verdict.Reject, "A", 2), (decision.Verdict, run.Ruleset.Chains[decision.Chain].Name, decision.Rule));
    }

    [Fact]
    public void Reject_says_how()
    {
        var reject = new RejectTarget();
        var run = new Run(Filter(Input(Verdict.Accept, new Rule([], reject, null, false, default, 0))));
        Assert.Same(reject, run.Evaluate(TestPacket.ToPort(1)).Reject);
        Assert.Equal([0ul, 1], run.Packets(0));
    }

    [Fact]
    public void Hot_drop_ends_at_once_and_counts_nothing()
    {
        var run = new Run(Filter(Input(Verdict.Accept, Jump("A"), Rule(Verdict.Accept)), User("A", Rule(Verdict.Accept, new HotDropMatch()))));
        Assert.Equal(new Decision(Verdict.Drop, 1, 1, true, null), run.Evaluate(TestPacket.ToPort(1)));
        Assert.Equal([0ul, 1, 0], run.Packets(0));
        Assert.Equal([0ul, 0], run.Packets(1));
    }

    [Fact]
    public void Without_counters_nothing_counts()
    {
        var run = new Run(Filter(Input(Verdict.Drop, Rule(Verdict.Accept))));
        var packet = TestPacket.ToPort(1).Context();
        Assert.Equal(Verdict.Accept, run.Ruleset.Evaluate(TableId.Filter, Hook.Input, ref packet, null).Verdict);
        Assert.Equal([0ul, 0], run.Packets(0));
    }

    [Fact]
    public void Counters_begin_where_the_text_says_and_can_be_zeroed()
    {
        var rule = Rule(Verdict.Accept) with { Counters = new(7, 700) };
        var chain = Input(Verdict.Drop, rule) with { PolicyCounters = new(1, 2) };
        var run = new Run(Filter(chain));
        run.Evaluate(TestPacket.ToPort(1));
        Assert.Equal(new RuleCounters(8, 800), run.Counters.Read(0, 1));
        Assert.Equal(new RuleCounters(8, 800), run.Counters.ReadAndZero(0, 1));
        Assert.Equal(new RuleCounters(0, 0), run.Counters.Read(0, 1));
        Assert.Equal(new RuleCounters(1, 2), run.Counters.Read(0, 0));
        run.Evaluate(TestPacket.ToPort(1));
        Assert.Equal(new RuleCounters(1, 100), run.Counters.Read(0, 1));
        run.Counters.Zero();
        Assert.Equal(default, run.Counters.Read(0, 0));
        Assert.Equal(default, run.Ruleset.CreateCounters(fromText: false).Read(0, 1));
    }

    [Fact]
    public void Loop_is_refused_where_a_packet_could_get_into_it()
    {
        var loop = new[] { User("A", Goto("B")), User("B", Jump("A")) };
        var error = Assert.Throws<ArgumentException>(() => CompiledRuleset.Compile(Filter([Input(Verdict.Accept, Jump("A")), .. loop])));
        Assert.Contains("loop", error.Message, StringComparison.Ordinal);
        CompiledRuleset.Compile(Filter([Input(Verdict.Accept), .. loop]));
    }

    [Fact]
    public void Depth_is_bounded()
    {
        Chain[] Nested(int depth) =>
            [.. Repeat(depth, i => User($"C{i}", i == 0 ? Rule(null) : Jump($"C{i - 1}"))), Input(Verdict.Accept, Jump($"C{depth - 1}"))];
        var run = new Run(Filter(Nested(CompiledRuleset.MaxDepth)));
        Assert.Equal(Verdict.Accept, run.Evaluate(TestPacket.ToPort(1)).Verdict);
        Assert.Equal(1ul, run.Counters.Read(0, 1).Packets);
        Assert.Throws<ArgumentException>(() => CompiledRuleset.Compile(Filter(Nested(CompiledRuleset.MaxDepth + 1))));
    }

    [Fact]
    public void Compiled_copies_remember_apart()
    {
        var ruleset = Filter(Input(Verdict.Drop, Rule(Verdict.Accept, new EverySecondMatch())));
        var (one, two) = (new Run(ruleset), new Run(ruleset));
        var three = new Run(one.Ruleset.ForAnother());
        Assert.True(one.Ruleset.Remembers && three.Ruleset.Remembers);
        Assert.Equal(Verdict.Accept, one.Evaluate(TestPacket.ToPort(1)).Verdict);
        Assert.Equal(Verdict.Accept, two.Evaluate(TestPacket.ToPort(1)).Verdict);
        Assert.Equal(Verdict.Accept, three.Evaluate(TestPacket.ToPort(1)).Verdict);
        Assert.Equal(Verdict.Drop, one.Evaluate(TestPacket.ToPort(1)).Verdict);
        Assert.Equal([0ul, 1ul], three.Packets(0));
    }

    /// <summary>A ruleset with one worker's counters.</summary>
    internal sealed class Run
    {
        public Run(Ruleset ruleset)
            : this(CompiledRuleset.Compile(ruleset, seed: 1))
        {
        }

        public Run(CompiledRuleset ruleset)
        {
            Ruleset = ruleset;
            Counters = Ruleset.CreateCounters(fromText: true);
        }

        public CompiledRuleset Ruleset { get; }

        public RuleCounterSet Counters { get; }

        public Decision Evaluate(TestPacket packet, TableId table = TableId.Filter, Hook hook = Hook.Input)
        {
            var context = packet.Context(hook);
            return Ruleset.Evaluate(table, hook, ref context, Counters);
        }

        /// <summary>Packets of a chain: its policy's, then its rules'.</summary>
        public ulong[] Packets(int chain)
            => [.. Enumerable.Range(0, Ruleset.Chains[chain].Rules.Length + 1).Select(i => Counters.Read(chain, i).Packets)];
    }
}
