using FwCluster.Control.Rulesets;
using FwCluster.Control.Rulesets.Agreed;
using Microsoft.Extensions.Logging.Abstractions;

namespace FwCluster.Control.Tests;

/// <summary>Nodes of one process that agree on rules: each has a folder, and messages between them can be counted and nodes killed at any of them.</summary>
internal sealed class RulesetPeersLab : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan UntilRemoved = TimeSpan.FromMilliseconds(30);

    // In memory: what is asked is who agrees, hundreds of times, and not what a disk keeps.
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), "fwt-agree-" + Guid.NewGuid().ToString("n"))).FullName;
    private readonly List<Node> _nodes = [];
    private readonly Lock _lock = new();
    private int _starts;

    /// <summary>Called before and after each message from node to node: who says it, who hears it, and whether it was heard.</summary>
    public Action<Node, Node, bool>? OnMessage { get; set; }

    /// <summary>How many nodes there are to be at a start.</summary>
    public int Expected { get; set; }

    /// <summary>How long nodes wait.</summary>
    public RulesetTimes Times { get; set; } = new()
    {
        Start = TimeSpan.FromSeconds(5), Look = TimeSpan.FromMilliseconds(200), Again = TimeSpan.FromMilliseconds(5), Decided = TimeSpan.FromSeconds(10),
    };

    public IReadOnlyList<Node> Alive
    {
        get
        {
            lock (_lock) return [.. _nodes.Where(n => n.IsAlive)];
        }
    }

    /// <summary>True when there is no node any more, dead ones that are still taken for members included.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _nodes.Count == 0;
        }
    }

    public static RulesetTexts Texts(string comment)
        => new($"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -m comment --comment {comment} -j DROP\nCOMMIT\n", "", "");

    public static CheckedRuleset Rules(string comment) => CheckedRuleset.Read(Texts(comment)).Rules!;

    /// <summary>Starts nodes at once, and waits until they have agreed.</summary>
    public async Task<Node[]> StartAsync(params string[] names)
    {
        var nodes = names.Select(Begin).ToArray();
        foreach (var node in nodes) await node.JoinAsync();
        return nodes;
    }

    /// <summary>Starts a node; it joins by <see cref="Node.JoinAsync"/>.</summary>
    public Node Begin(string name)
    {
        lock (_lock)
        {
            var node = new Node(this, name, Path.Combine(_folder, name), ++_starts);
            _nodes.Add(node);
            node.Open();
            Tell();
            return node;
        }
    }

    /// <summary>Ends a node at once: it says and hears nothing more.</summary>
    public void Kill(Node node)
    {
        if (!node.Die()) return;
        Tell();
        _ = Task.Delay(UntilRemoved).ContinueWith(_ =>
        {
            lock (_lock) _nodes.Remove(node);
            Tell();
        }, TaskScheduler.Default);
    }

    public static async Task Until(Func<bool> condition, Func<string> otherwise)
    {
        var end = DateTime.UtcNow + Patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, otherwise());
            await Task.Delay(5);
        }
    }

    public void Dispose()
    {
        foreach (var node in Alive) node.Die();
        Directory.Delete(_folder, recursive: true);
    }

    private void Tell()
    {
        foreach (var node in Alive) node.NoteChange();
    }

    /// <summary>A node, from its start to its end.</summary>
    internal sealed class Node(RulesetPeersLab lab, string name, string folder, int uid) : IRulesetPeers, IRulesetTarget
    {
        private readonly TaskCompletionSource _dead = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Func<byte[], Task<byte[]>>? _answer;
        private int _isDead;

        public event Action? Changed;

        public ClusterAgreement Agreement { get; private set; } = null!;

        /// <summary>Generations that decided here, one after the other.</summary>
        public List<RulesetGeneration> Ran { get; } = [];

        /// <summary>Why it takes no rules; null where it does.</summary>
        public string? Refuses { get; set; }

        /// <summary>The rules of its own files.</summary>
        public static InForce First => new(new RulesetGeneration
        {
            Number = 1, Applied = DateTimeOffset.UtcNow, Author = "fwclusterd", Comment = RulesetGeneration.FromFiles(["first.rules"]), Digest = Texts("first").Digest(),
        }, Rules("first"));

        public string Name => name;

        public string Folder => folder;

        public bool IsAlive => _isDead == 0;

        public RulesetGeneration Generation => Agreement.Current.Generation;

        public bool AreAllThere => lab.Alive.Count >= lab.Expected;

        public IReadOnlyList<RulesetPeer> Members
        {
            get
            {
                lock (lab._lock) return [.. lab._nodes.Select(n => new RulesetPeer(n.Uid, n.Name, true, n.IsAlive, n == this))];
            }
        }

        private int Uid => uid;

        public void Open()
        {
            Agreement = new ClusterAgreement(name, RulesetStore.Open(folder), First, this, lab.Times, TimeProvider.System, NullLogger<ClusterAgreement>.Instance);
        }

        /// <summary>As the daemon does: what the others say is in force is what it runs first.</summary>
        public async Task JoinAsync()
        {
            var running = await Agreement.JoinAsync(CancellationToken.None);
            lock (Ran) Ran.Add(running.Generation);
            await Agreement.AttachAsync(this, running);
        }

        public async Task<IPreparedRuleset> PrepareAsync(InForce rules)
        {
            await MayBeDead();
            return Refuses is { } why ? throw new InvalidOperationException(why) : new Ready(this, rules.Generation);
        }

        public Task ApplyAsync(string comment, ulong? expected = null, TimeSpan? confirmWithin = null)
            => Agreement.ApplyAsync(new RulesetProposal(Rules(comment), "tester") { Expected = expected, Comment = comment, ConfirmWithin = confirmWithin });

        public void Answer(Func<byte[], Task<byte[]>> answer) => _answer = answer;

        public async Task<byte[]> AskAsync(RulesetPeer to, byte[] question, CancellationToken cancellation)
        {
            Node? target;
            lock (lab._lock) target = lab._nodes.Find(n => n.Uid == to.Uid && n.IsAlive);
            if (target is null) throw new RulesetPeerException("it cannot be reached", hasArrived: false);
            lab.OnMessage?.Invoke(this, target, false);
            await MayBeDead();
            if (!target.IsAlive) throw new RulesetPeerException("it cannot be reached any more", hasArrived: true);
            var answer = Task.Run(() => target._answer!(question), CancellationToken.None);
            await Task.WhenAny(answer, target._dead.Task, _dead.Task).WaitAsync(cancellation);
            if (answer.IsCompleted) lab.OnMessage?.Invoke(this, target, true);
            await MayBeDead();
            return target.IsAlive ? await answer : throw new RulesetPeerException("it cannot be reached any more", hasArrived: true);
        }

        public bool Die()
        {
            if (Interlocked.Exchange(ref _isDead, 1) != 0) return false;
            _dead.TrySetResult();
            return true;
        }

        public void NoteChange() => Changed?.Invoke();

        public override string ToString() => $"{name} ({(IsAlive ? "alive" : "dead")}): {Generation}";

        /// <summary>A dead node does nothing more.</summary>
        private Task MayBeDead() => IsAlive ? Task.CompletedTask : new TaskCompletionSource().Task;

        private sealed class Ready(Node node, RulesetGeneration generation) : IPreparedRuleset
        {
            public Task CommitAsync()
            {
                lock (node.Ran) node.Ran.Add(generation);
                return Task.CompletedTask;
            }
        }
    }
}
