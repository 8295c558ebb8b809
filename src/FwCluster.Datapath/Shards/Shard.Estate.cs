using FwCluster.Conntrack;

namespace FwCluster.Datapath.Shards;

/// <content>A shard that moves takes its connections, expectations and what helpers remember along. Questions that wait are asked again, there.</content>
public sealed partial class Shard
{
    /// <summary>Hands everything over. The shard is not to be used any more.</summary>
    /// <param name="estate">Takes it down.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Leave(IShardEstate estate, long now)
    {
        ArgumentNullException.ThrowIfNull(estate);
        foreach (var index in _table.Connections(now))
            estate.Add(in _table[index], _sharers.TryGetValue(index, out var sharers) ? sharers : [], _table.SaveHelper(index));
        foreach (var (number, expectation) in _byNumber)
            if (expectation.Expires > now)
                estate.Add(number, expectation, in _table[expectation.Master]);
    }

    /// <summary>Takes over a connection. Before the shard is asked anything.</summary>
    /// <param name="entry">The connection; its times by this node's clock.</param>
    /// <param name="sharers">The workers that share it, by their numbers here; those that are gone are not among them.</param>
    /// <param name="helper">What its helper remembers.</param>
    /// <param name="isHolderGone">Its holder is no more.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void TakeOver(in Connection entry, IReadOnlyList<int> sharers, ReadOnlySpan<byte> helper, bool isHolderGone, long now)
    {
        ArgumentNullException.ThrowIfNull(sharers);
        _now = Math.Max(_now, now);
        var index = _table.Adopt(in entry);
        _table.LoadHelper(index, helper);
        ref var mine = ref _table[index];
        if (mine.Grant == GrantKind.Exclusive && isHolderGone) ComeHome(index);
        else if (mine.Grant == GrantKind.Exclusive) mine.Expires = long.MaxValue;
        else if (mine.Grant == GrantKind.Shared) _sharers[index] = [.. sharers];
    }

    /// <summary>Takes over an expectation; its master was taken over before.</summary>
    /// <param name="number">Its number, by which the nodes' directories know it.</param>
    /// <param name="expectation">What is expected; its master's index does not matter.</param>
    /// <param name="expires">When it ends by this node's clock.</param>
    /// <param name="master">Its master.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void TakeOver(ulong number, Expectation expectation, long expires, in Connection master, long now)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        _now = Math.Max(_now, now);
        _lastNumber = Math.Max(_lastNumber, number);
        var zone = new ConnectionTemplate { Zone = master.Zone, ZoneDirections = master.ZoneDirections };
        var index = _table.Find(master.Original, zone, _now, out _);
        if (index < 0 || expires <= _now) return;
        var mine = expectation with { Master = index };
        _byNumber.Add(number, mine);
        _numbers.Add(mine, number);
        _table.AdoptExpectation(mine, expires);
    }
}
