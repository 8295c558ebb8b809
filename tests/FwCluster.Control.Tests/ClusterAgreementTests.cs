using FwCluster.Control.Rulesets;

namespace FwCluster.Control.Tests;

/// <summary>All nodes agree on rules, whichever of them is lost at whichever message.</summary>
public sealed class ClusterAgreementTests
{
    private static readonly string[] Names = ["a", "b", "c"];

    [Fact]
    public async Task RulesAreInForceOnAllNodesWhicheverOneIsAsked()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        Assert.All(nodes, n => Assert.Equal((1ul, "fwclusterd"), (n.Generation.Number, n.Generation.Author)));
        using var stop = new CancellationTokenSource();
        await using var watch = nodes[1].Agreement.WatchAsync(stop.Token).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal((RulesetChangeKind.InForce, 1ul), (watch.Current.Kind, watch.Current.Generation.Number));
        var (before, after) = await nodes[2].Agreement.ApplyAsync(new RulesetProposal(RulesetPeersLab.Rules("second"), "tester") { Expected = 1 });
        Assert.Equal((1ul, 2ul), (before.Generation.Number, after.Generation.Number));
        Assert.Contains("first", before.Rules.Texts.IPv4, StringComparison.Ordinal);
        Assert.All(nodes, n => Assert.Equal(after.Generation, n.Generation));
        Assert.All(nodes, n => Assert.Contains("second", n.Agreement.Current.Rules.Texts.IPv4, StringComparison.Ordinal));
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal((RulesetChangeKind.Applied, 2ul), (watch.Current.Kind, watch.Current.Generation.Number));

        // Whoever expects something else is told what is in force, by whichever node.
        foreach (var node in nodes)
        {
            var stale = await Assert.ThrowsAsync<RulesetRefusedException>(() => node.ApplyAsync("third", expected: 1));
            Assert.Equal((RulesetRefusal.Stale, "the rules were to follow generation 1, but generation 2 is in force"), (stale.Reason, stale.Message));
        }

        // Files, as people read them.
        var folder = Path.Combine(nodes[1].Folder, "000000000002");
        Assert.Equal(RulesetPeersLab.Texts("second").IPv4, await File.ReadAllTextAsync(Path.Combine(folder, "ipv4.rules"), stop.Token));
        Assert.Contains("author: tester\n", await File.ReadAllTextAsync(Path.Combine(folder, "generation"), stop.Token), StringComparison.Ordinal);
        Assert.EndsWith("\na\nb\nc\n", await File.ReadAllTextAsync(Path.Combine(folder, "nodes"), stop.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfWhoApplyAtOnceNobodysWorkIsLost()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        async Task Apply(RulesetPeersLab.Node node, int times)
        {
            for (var done = 0; done < times;)
            {
                var current = node.Agreement.Current;
                var texts = new RulesetTexts(current.Rules.Texts.IPv4.Replace("COMMIT", $"-A FORWARD -m comment --comment {node.Name}{done} -j DROP\nCOMMIT", StringComparison.Ordinal), "", "");
                try
                {
                    await node.Agreement.ApplyAsync(new RulesetProposal(CheckedRuleset.Read(texts).Rules!, node.Name) { Expected = current.Generation.Number });
                    done++;
                }
                catch (RulesetRefusedException e) when (e.Reason == RulesetRefusal.Stale)
                {
                }
            }
        }
        await Task.WhenAll(nodes.Select(n => Apply(n, 10)));
        Assert.All(nodes, n => Assert.Equal(31ul, n.Generation.Number));
        Assert.All(nodes, n => Assert.Equal(31, n.Agreement.Current.Rules.Texts.IPv4.Split("-j DROP").Length - 1));
        Assert.All(nodes, n => Assert.Equal(Enumerable.Range(1, 31).Select(i => (ulong)i), n.Ran.Select(g => g.Number)));
    }

    [Fact]
    public async Task WhereOneRefusesNothingChangesAnywhere()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        nodes[1].Refuses = "no memory left";
        var refused = await Assert.ThrowsAsync<RulesetRefusedException>(() => nodes[2].ApplyAsync("second"));
        Assert.Equal((RulesetRefusal.Node, "node b cannot take the rules, so they are nowhere in force: no memory left"), (refused.Reason, refused.Message));
        Assert.All(nodes, n => Assert.Equal([1ul], n.Ran.Select(g => g.Number)));
        Assert.All(nodes, n => Assert.False(HasPrepared(n)));
        nodes[1].Refuses = null;
        await nodes[2].ApplyAsync("third");
        Assert.All(nodes, n => Assert.Equal((2ul, "third"), (n.Generation.Number, n.Generation.Comment)));
    }

    /// <summary>One node is lost at each message of an apply, as who says it or who hears it, before it is heard or after.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task WhoeverIsLostAtWhicheverMessageAllOthersAgreeAndItDoesWhenItIsBack(bool isSpeaker, bool isAfter)
    {
        var outcomes = new List<string>();
        for (var at = 1; at <= 6; at++) outcomes.Add(await LoseOneAsync(isSpeaker, isAfter, at));
        // Both ends of a change were met: not decided yet, and decided. What was heard twice at once may be all that was needed.
        if (isAfter) return;
        Assert.Contains(outcomes, o => o.EndsWith("-> 1", StringComparison.Ordinal));
        Assert.Contains(outcomes, o => o.EndsWith("-> 2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatWasInForceBeforeAllWereLostIsInForceFirst()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        await nodes[0].ApplyAsync("second");
        // The first one misses a generation, and is the first to start again.
        lab.Kill(nodes[0]);
        await RulesetPeersLab.Until(() => nodes[1].Members.Count == 2, () => "it is a member still");
        await nodes[1].ApplyAsync("third");
        lab.Kill(nodes[1]);
        lab.Kill(nodes[2]);
        await RulesetPeersLab.Until(() => lab.IsEmpty, () => "somebody is a member still");
        var first = lab.Begin("a");
        var joining = first.JoinAsync();
        var again = await lab.StartAsync("b", "c");
        await joining;
        Assert.All((RulesetPeersLab.Node[])[first, .. again], n => Assert.Equal([3ul], n.Ran.Select(g => g.Number)));
        // What it missed it has, too.
        await RulesetPeersLab.Until(() => first.Agreement.History(10, 0).Count == 3, () => "it did not get what it missed");
        Assert.Equal("third", first.Agreement.Read(3).Generation.Comment);
    }

    [Fact]
    public async Task ANodeWhoseOthersDoNotComeGoesOnWithItsOwnDisk()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        await nodes[0].ApplyAsync("second");
        foreach (var node in nodes) lab.Kill(node);
        await RulesetPeersLab.Until(() => lab.IsEmpty, () => "somebody is a member still");
        lab.Times = lab.Times with { Start = TimeSpan.FromMilliseconds(300) };
        var alone = await lab.StartAsync("b");
        Assert.Equal([2ul], alone[0].Ran.Select(g => g.Number));
        await alone[0].ApplyAsync("third");
        // Who has missed that takes it before it decides anything.
        Assert.Equal([3ul], (await lab.StartAsync("a"))[0].Ran.Select(g => g.Number));
    }

    [Fact]
    public async Task WhatNobodyConfirmsGoesAlsoWhenItsCoordinatorIsLost()
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        await nodes[1].ApplyAsync("kept", confirmWithin: TimeSpan.FromSeconds(30));
        await nodes[2].Agreement.ConfirmAsync(2);
        Assert.All(nodes, n => Assert.Null(n.Generation.ConfirmBy));
        Assert.All(nodes, n => Assert.True(File.Exists(Path.Combine(n.Folder, "000000000002", "confirmed"))));

        await nodes[1].ApplyAsync("unconfirmed", confirmWithin: TimeSpan.FromSeconds(1));
        Assert.Equal(RulesetRefusal.Unconfirmed, (await Assert.ThrowsAsync<RulesetRefusedException>(() => nodes[2].ApplyAsync("other"))).Reason);
        lab.Kill(nodes[0]);
        await RulesetPeersLab.Until(() => nodes[1..].All(n => n.Generation.Number == 4), () => string.Join('\n', nodes[1..].Select(n => n.ToString())));
        Assert.All(nodes[1..], n => Assert.Equal((2ul, "generation 3 was not confirmed in time"), (n.Generation.Restores, n.Generation.Comment)));
        Assert.All(nodes[1..], n => Assert.Contains("kept", n.Agreement.Current.Rules.Texts.IPv4, StringComparison.Ordinal));
    }

    private static bool HasPrepared(RulesetPeersLab.Node node) => Directory.Exists(Path.Combine(node.Folder, "prepared"));

    private static async Task<string> LoseOneAsync(bool isSpeaker, bool isAfter, int at)
    {
        using var lab = new RulesetPeersLab { Expected = 3 };
        var nodes = await lab.StartAsync(Names);
        await RulesetPeersLab.Until(() => nodes.All(n => n.Generation.Number == 1), () => "not begun");
        var messages = 0;
        RulesetPeersLab.Node? lost = null;
        lab.OnMessage = (speaker, hearer, heard) =>
        {
            if (heard != isAfter || Interlocked.Increment(ref messages) != at) return;
            lost = isSpeaker ? speaker : hearer;
            lab.Kill(lost);
        };
        // By the coordinator itself: its client is gone with it, and knows nothing.
        var apply = nodes[0].ApplyAsync("second");
        await Task.WhenAny(apply, RulesetPeersLab.Until(() => lost == nodes[0], () => "")).WaitAsync(TimeSpan.FromSeconds(20));
        var refusal = apply.IsFaulted ? (await Assert.ThrowsAsync<RulesetRefusedException>(() => apply)).Reason : (RulesetRefusal?)null;
        await RulesetPeersLab.Until(() => lost is not null, () => $"message {at} was not said");
        var others = lab.Alive.ToArray();
        Assert.Equal(2, others.Length);
        lab.OnMessage = null;
        await Task.Delay(50); // what it was about to write is written, or not

        var back = (await lab.StartAsync(lost!.Name))[0];
        await RulesetPeersLab.Until(
            () => lab.Alive.Select(n => n.Generation).Distinct().Count() == 1 && !lab.Alive.Any(HasPrepared) && back.Members.Count == 3,
            () => $"message {at}:\n{string.Join('\n', lab.Alive.Select(n => $"{n}{(HasPrepared(n) ? ", with something prepared" : "")}"))}");
        var what = $"message {at}, {lost!.Name} lost: {(apply.IsCompleted ? refusal?.ToString() ?? "applied" : "no answer")} -> {back.Generation.Number}";
        foreach (var node in others.Append(back))
        {
            var expected = apply.IsCompletedSuccessfully ? 2ul : refusal == RulesetRefusal.Node ? 1ul : back.Generation.Number;
            Assert.True(expected == node.Generation.Number, $"{what}\n{node}");
            Assert.True(node.Ran.All(g => g.Number <= expected), $"{what}: on {node.Name} decided {string.Join(", ", node.Ran.Select(g => g.Number))}");
        }
        // And it goes on.
        await back.ApplyAsync("after");
        Assert.All(lab.Alive, n => Assert.Equal((back.Generation.Number, "after"), (n.Generation.Number, n.Generation.Comment)));
        return what;
    }
}
