using System.Collections.Concurrent;
using FwCluster.Control.Rulesets;
using FwCluster.Control.Rulesets.Followed;
using Microsoft.Extensions.Logging.Abstractions;

namespace FwCluster.Control.Tests;

/// <summary>Rule files that change are applied once for all nodes, though each node is shown the change at another time.</summary>
public sealed class RulesetFollowerTests
{
    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Fact]
    public async Task AChangeIsAppliedOnceAndByNobodyWhoIsBehind()
    {
        await using var follow = new Followed();
        var (a, b, c) = await follow.StartAsync(Never);

        // What is in the files is in force already; a change comes from the node that leads, when it sees it.
        a.Show("second");
        await follow.UntilAsync(2, "second");
        Assert.Equal(("fwclusterd", "from " + a.File), (c.Node.Generation.Author, c.Node.Generation.Comment));

        // Others' rules stay until the files change again, and also what was there before is a change, where the last was seen.
        await c.Node.ApplyAsync("by-hand");
        b.Show("second");
        await a.LooksAsync();
        await b.LooksAsync();
        Assert.Equal(3ul, a.Node.Generation.Number);
        a.Show("first");
        await follow.UntilAsync(4, "first");

        // The others see it later, or not yet when they are to lead.
        b.Show("third");
        c.Show("third");
        await b.LooksAsync();
        Assert.Equal(4ul, b.Node.Generation.Number);
        a.Show("third");
        await follow.UntilAsync(5, "third");
        await b.LooksAsync();
        a.Show("fourth");
        await follow.UntilAsync(6, "fourth");
        follow.Lab.Kill(a.Node);
        await RulesetPeersLab.Until(() => b.Node.Agreement.Leads, b.Node.ToString);
        await b.LooksAsync();
        await b.LooksAsync();
        Assert.Equal("fourth", follow.Told.Last().Comment);
        b.Show("fifth");
        await follow.UntilAsync(7, "fifth");
        Assert.Equal(["second", "first", "third", "fourth", "fifth"], follow.Told.Select(t => t.Comment));
        Assert.All(follow.Told, t => Assert.Equal($"generation {t.Change.Generation} is in force", t.Change.Message));
    }

    [Fact]
    public async Task WhatWasThereBeforeIsBroughtBackWhereItStays()
    {
        await using var follow = new Followed();
        var (a, b, _) = await follow.StartAsync(TimeSpan.FromMilliseconds(300));
        a.Show("second");
        await follow.UntilAsync(2, "second");
        follow.Lab.Kill(a.Node); // and nobody else is ever shown it
        await follow.UntilAsync(3, "first");
        Assert.Equal(3ul, b.Node.Generation.Number);
    }

    [Fact]
    public async Task WhatIsWrongIsToldOnceWithItsPlace()
    {
        await using var follow = new Followed();
        var (a, b, _) = await follow.StartAsync(Never);
        a.Write("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 70000 -j ACCEPT\nCOMMIT\n");
        b.Write("nothing of it");
        await RulesetPeersLab.Until(() => !follow.Told.IsEmpty, a.Node.ToString);
        await a.LooksAsync();
        var wrong = Assert.Single(follow.Told).Change;
        Assert.Null(wrong.Generation);
        Assert.Equal("1 mistake:\nipv4.rules:3:25: tcp: \"70000\" is neither a port (0 to 65535) nor the name of a service", wrong.Message);

        // What a node cannot take now it is asked again.
        b.Node.Refuses = "its disk is full";
        a.Show("second");
        await RulesetPeersLab.Until(() => follow.Told.Count == 2, a.Node.ToString);
        Assert.Contains("its disk is full", follow.Told.Last().Change.Message, StringComparison.Ordinal);
        await a.LooksAsync();
        Assert.Equal(1ul, a.Node.Generation.Number);
        b.Node.Refuses = null;
        await follow.UntilAsync(2, "second");

        File.Delete(a.File);
        await RulesetPeersLab.Until(() => follow.Told.Count == 4, a.Node.ToString);
        await a.LooksAsync();
        Assert.Contains(a.File, follow.Told.Last().Change.Message, StringComparison.Ordinal);
        a.Show("third");
        await follow.UntilAsync(3, "third");
        Assert.Equal(5, follow.Told.Count);
    }

    [Fact]
    public async Task WhereNobodyKnowsWhatCameFromTheFilesTheirFirstChangeCounts()
    {
        var folder = Directory.CreateTempSubdirectory("fwt-follow-");
        try
        {
            var store = RulesetStore.Open(Path.Combine(folder.FullName, "rulesets"));
            var texts = RulesetPeersLab.Texts("by-hand");
            store.Add(new RulesetGeneration { Number = 7, Applied = DateTimeOffset.UtcNow, Author = "tester", Digest = texts.Digest() }, texts);
            using var agreement = new RulesetAgreement(store, RulesetAgreement.Recover(store, TimeProvider.System), [], TimeProvider.System, NullLogger<RulesetAgreement>.Instance);
            var file = Path.Combine(folder.FullName, "ipv4.rules");
            await File.WriteAllTextAsync(file, RulesetPeersLab.Texts("first").IPv4, TestContext.Current.CancellationToken);
            var told = new ConcurrentQueue<FollowedChange>();
            await using var follower = new RulesetFollower(agreement, new RulesetFollowerOptions(file, null, null) { Every = TimeSpan.FromMilliseconds(10) }, (change, _) =>
            {
                told.Enqueue(change);
                return Task.CompletedTask;
            }, TimeProvider.System, NullLogger<RulesetFollower>.Instance);
            await RulesetPeersLab.Until(() => follower.Looks >= 4, () => $"{follower.Looks} looks");
            Assert.Equal(7ul, agreement.Current.Generation.Number);
            await File.WriteAllTextAsync(file, RulesetPeersLab.Texts("second").IPv4, TestContext.Current.CancellationToken);
            await RulesetPeersLab.Until(() => !told.IsEmpty, () => $"{follower.Looks} looks");
            Assert.Equal(new FollowedChange(8, "generation 8 is in force"), Assert.Single(told));
            Assert.Contains("second", agreement.Current.Rules.Texts.IPv4, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Three nodes, each with a file of its own.</summary>
    private sealed class Followed : IAsyncDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fwt-follow-");
        private readonly List<Follower> _followers = [];

        public RulesetPeersLab Lab { get; } = new() { Expected = 3 };

        /// <summary>What was told, and the rules in force then, by their comment.</summary>
        public ConcurrentQueue<(FollowedChange Change, string Comment)> Told { get; } = [];

        public async Task<(Follower A, Follower B, Follower C)> StartAsync(TimeSpan grace)
        {
            foreach (var node in await Lab.StartAsync(Names)) _followers.Add(new Follower(this, node, Directory.CreateDirectory(Path.Combine(_folder.FullName, node.Name)).FullName, grace));
            await Task.WhenAll(_followers.Select(f => f.LooksAsync()));
            return (_followers[0], _followers[1], _followers[2]);
        }

        /// <summary>Waits until a generation is in force everywhere, and was told of.</summary>
        public async Task UntilAsync(ulong generation, string comment)
        {
            await RulesetPeersLab.Until(() => Lab.Alive.All(n => n.Generation.Number == generation) && Told.Any(t => t.Change.Generation == generation),
                () => string.Join('\n', Lab.Alive.Select(n => n.ToString())));
            Assert.All(Lab.Alive, n => Assert.Equal(RulesetPeersLab.Texts(comment).Digest(), n.Generation.Digest));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var follower in _followers) await follower.DisposeAsync();
            Lab.Dispose();
            _folder.Delete(recursive: true);
        }
    }

    /// <summary>A node and its file.</summary>
    private sealed class Follower : IAsyncDisposable
    {
        private readonly RulesetFollower _follower;

        public Follower(Followed all, RulesetPeersLab.Node node, string folder, TimeSpan grace)
        {
            (Node, File) = (node, Path.Combine(folder, "ipv4.rules"));
            Show("first");
            var options = new RulesetFollowerOptions(File, null, null) { Every = TimeSpan.FromMilliseconds(10), Again = TimeSpan.FromMilliseconds(30), Grace = grace };
            _follower = new RulesetFollower(node.Agreement, options, (change, _) =>
            {
                var rules = node.Agreement.Current.Rules.Texts.IPv4;
                all.Told.Enqueue((change, rules.Split("--comment ")[^1].Split(' ')[0]));
                return Task.CompletedTask;
            }, TimeProvider.System, NullLogger<RulesetFollower>.Instance);
        }

        public RulesetPeersLab.Node Node { get; }

        public string File { get; }

        public void Show(string comment) => Write(RulesetPeersLab.Texts(comment).IPv4);

        public void Write(string text)
        {
            System.IO.File.WriteAllText(File + ".new", text);
            System.IO.File.Move(File + ".new", File, overwrite: true);
        }

        /// <summary>Waits until it has looked three times more: what it was to do it has done.</summary>
        public Task LooksAsync()
        {
            var until = _follower.Looks + 4;
            return RulesetPeersLab.Until(() => _follower.Looks >= until, Node.ToString);
        }

        public ValueTask DisposeAsync() => _follower.DisposeAsync();
    }
}
