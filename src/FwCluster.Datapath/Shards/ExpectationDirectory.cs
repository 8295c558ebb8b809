using System.Collections.Concurrent;
using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>A node's copy of what is expected: written as shards announce and withdraw, read by workers without a lock.</summary>
public sealed class ExpectationDirectory : IExpectationDirectory
{
    private readonly ConcurrentDictionary<Place, ImmutableArray<Known>> _byPlace = new();
    private readonly ConcurrentDictionary<ExpectationId, Place> _places = new();

    /// <summary>Expectations it knows.</summary>
    public int Count => _places.Count;

    /// <summary>Adds an expectation, or renews it.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="expectation">What is expected; <see cref="Expectation.Master"/> and helpers do not matter here.</param>
    /// <param name="expires">When it ends by this node's clock, nanoseconds since the Unix epoch.</param>
    public void Add(ExpectationId id, Expectation expectation, long expires)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        var place = Place.Of(expectation.Tuple);
        _places[id] = place;
        // Newest first, as the kernel's lists are.
        _byPlace.AddOrUpdate(place, _ => [new Known(id, expectation, expires)],
            (_, known) => known.RemoveAll(k => k.Id == id).Insert(0, new Known(id, expectation, expires)));
    }

    /// <summary>Takes an expectation out.</summary>
    public void Remove(ExpectationId id)
    {
        if (!_places.TryRemove(id, out var place)) return;
        while (_byPlace.TryGetValue(place, out var known))
        {
            var left = known.RemoveAll(k => k.Id == id);
            var done = left.IsEmpty
                ? _byPlace.TryRemove(KeyValuePair.Create(place, known))
                : _byPlace.TryUpdate(place, left, known);
            if (done) return;
        }
    }

    /// <summary>Takes out what shards have announced that are now elsewhere, or gone.</summary>
    public void RemoveShard(int shard)
    {
        foreach (var id in _places.Keys.Where(id => id.Shard == shard)) Remove(id);
    }

    /// <summary>Takes out what a shard has announced, but for some of it.</summary>
    public void RemoveShard(int shard, IReadOnlySet<ulong> but)
    {
        ArgumentNullException.ThrowIfNull(but);
        foreach (var id in _places.Keys.Where(id => id.Shard == shard && !but.Contains(id.Number))) Remove(id);
    }

    /// <summary>True where another shard's expectation would be met by some packet that meets this one.</summary>
    /// <param name="shard">The shard that asks.</param>
    /// <param name="expectation">What it is about to expect.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public bool Clashes(int shard, Expectation expectation, long now)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        if (!_byPlace.TryGetValue(Place.Of(expectation.Tuple), out var known)) return false;
        foreach (var (id, other, expires) in known)
        {
            if (id.Shard != shard && expires > now && other.Zone == expectation.Zone
                && (!(other.MatchSourceAddress && expectation.MatchSourceAddress) || other.Tuple.Source == expectation.Tuple.Source)
                && (!(other.MatchSourcePort && expectation.MatchSourcePort) || other.Tuple.SourcePort == expectation.Tuple.SourcePort))
                return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public ExpectationId Find(in FlowTuple tuple, ushort zone, long now)
    {
        if (_places.IsEmpty || !_byPlace.TryGetValue(Place.Of(tuple), out var known)) return default;
        foreach (var (id, expectation, expires) in known)
        {
            if (expires > now && expectation.Zone == zone
                && (!expectation.MatchSourceAddress || expectation.Tuple.Source == tuple.Source)
                && (!expectation.MatchSourcePort || expectation.Tuple.SourcePort == tuple.SourcePort))
                return id;
        }
        return default;
    }

    private sealed record Known(ExpectationId Id, Expectation Expectation, long Expires);

    private readonly record struct Place(IpAddress Destination, ushort Port, byte Protocol, IpFamily Family)
    {
        public static Place Of(in FlowTuple tuple) => new(tuple.Destination, tuple.DestinationPort, tuple.Protocol, tuple.Family);
    }
}
