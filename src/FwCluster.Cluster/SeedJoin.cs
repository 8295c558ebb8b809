using System.Net;

namespace FwCluster.Cluster;

/// <summary>
/// Leads a node to its cluster by names, whose addresses come and go: they are looked up until it is a member. Whoever finds himself the first of all
/// addresses may begin a cluster, but only when these have not changed for a while and none of the others belongs to one: two who start at once,
/// and of whom each knows his own name only, would else begin two.
/// </summary>
/// <param name="cluster">Joins.</param>
/// <param name="settings">The node's settings.</param>
/// <param name="haveFound">Told which addresses the seeds stand for, whenever they change.</param>
internal sealed class SeedJoin(Akka.Cluster.Cluster cluster, ClusterSettings settings, Action<IReadOnlyList<(string Host, int Port)>> haveFound)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private IReadOnlyList<(string Host, int Port)> _known = [];
    private long _since;
    private bool _mayBegin;

    /// <summary>True where the seeds stand for addresses that may change.</summary>
    public static bool IsNeededFor(ClusterSettings settings) => settings.Seeds.Any(seed => !IPAddress.TryParse(SeedAddresses.Parse(seed).Host, out _));

    /// <summary>Joins: returns when this node is a member, or its actors have ended.</summary>
    public async Task RunAsync()
    {
        while (!cluster.System.WhenTerminated.IsCompleted && !IsMember)
        {
            await TryAsync().ConfigureAwait(false);
            await Task.WhenAny(Task.Delay(Interval), cluster.System.WhenTerminated).ConfigureAwait(false);
        }
    }

    private bool IsMember => cluster.State.Members.Any(member => member.UniqueAddress == cluster.SelfUniqueAddress);

    private async Task TryAsync()
    {
        var found = await SeedAddresses.ResolveAsync(settings.Seeds, settings.Resolve, CancellationToken.None).ConfigureAwait(false);
        var self = (cluster.SelfAddress.Host, cluster.SelfAddress.Port ?? 0);
        if (!found.SequenceEqual(_known))
        {
            (_known, _since, _mayBegin) = (found, Environment.TickCount64, false);
            haveFound(found);
            Join([.. found.Where(seed => seed != self)]);
        }
        else if (!_mayBegin && found.Count > 0 && found[0] == self && Environment.TickCount64 - _since >= settings.BeginAfter.TotalMilliseconds)
        {
            _mayBegin = true;
            Join(found); // itself first: it asks the others once more, and begins where none of them belongs to a cluster
        }
    }

    private void Join(IReadOnlyList<(string Host, int Port)> seeds)
    {
        if (seeds.Count > 0) cluster.JoinSeedNodes(seeds.Select(seed => cluster.SelfAddress.WithHost(seed.Host).WithPort(seed.Port)));
    }
}
