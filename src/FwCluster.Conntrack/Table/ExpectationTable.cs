using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Table;

/// <summary>The expectations of a table and what helpers remember of their connections (nf_conntrack_expect.c). Work happens only for
/// connections with a helper, and for first packets while anything is expected.</summary>
internal sealed class ExpectationTable(ConntrackSettings settings)
{
    private readonly Dictionary<Place, List<Expectation>> _byPlace = [];
    private readonly Dictionary<int, MasterState> _masters = [];

    /// <summary>Asked before one is noted: does another table's clash with it? Null where there is no other table.</summary>
    public Func<Expectation, bool>? IsTakenElsewhere { get; set; }

    /// <summary>Told of each that goes.</summary>
    public Action<Expectation>? Gone { get; set; }

    /// <summary>Expectations, those included whose time is over and that nobody has met since.</summary>
    public int Count { get; private set; }

    /// <summary>How many there may be, and for how long.</summary>
    public ConntrackSettings Settings { get; set; } = settings;

    /// <summary>Expectations there may be.</summary>
    public int Limit => Settings.MaxExpectations;

    public IEnumerable<Expectation> All => _byPlace.Values.SelectMany(list => list);

    /// <summary>What a helper remembers of a connection.</summary>
    public ref object? HelperState(int connection)
    {
        if (!_masters.TryGetValue(connection, out var state)) _masters.Add(connection, state = new MasterState());
        return ref state.Helper;
    }

    /// <summary>Takes the expectation that a first packet meets (<c>nf_ct_find_expectation</c>).</summary>
    public Expectation? Claim(in FlowTuple tuple, ushort zone, long now)
    {
        if (!_byPlace.TryGetValue(Place.Of(tuple), out var list)) return null;
        for (var i = list.Count - 1; i >= 0; i--) // newest first, as the kernel's lists are
        {
            var expectation = list[i];
            if (expectation.Expires <= now)
            {
                Remove(expectation);
                continue;
            }
            if (expectation.Zone != zone
                || (expectation.MatchSourceAddress && expectation.Tuple.Source != tuple.Source)
                || (expectation.MatchSourcePort && expectation.Tuple.SourcePort != tuple.SourcePort))
                continue;
            if (!expectation.Permanent) Remove(expectation);
            return expectation;
        }
        return null;
    }

    /// <summary>Notes an expectation (<c>nf_ct_expect_related</c>): the same one of the same master is renewed, another master's that could be
    /// met by the same packet is a clash, and beyond the helper's limit the oldest of the master goes.</summary>
    public bool Add(Expectation expectation, ConnectionHelper helper, long now)
    {
        if (_byPlace.TryGetValue(Place.Of(expectation.Tuple), out var list))
        {
            for (var i = list.Count - 1; i >= 0; i--)
            {
                var other = list[i];
                if (other.Expires <= now)
                {
                    Remove(other);
                    continue;
                }
                if (IsSame(other, expectation))
                {
                    if (other.Class != expectation.Class || other.Master != expectation.Master) return false;
                    Remove(other);
                    break;
                }
                if (Clash(other, expectation)) return false;
            }
        }
        if (IsTakenElsewhere is { } isTaken && isTaken(expectation)) return false;
        if (!_masters.TryGetValue(expectation.Master, out var master))
            _masters.Add(expectation.Master, master = new MasterState());
        EvictOldest(master, expectation.Class, helper.MaxExpected, now);
        if (Count >= Limit) return false;

        expectation.Expires = now + Duration.Nanoseconds(Settings.ExpectTimeout ?? helper.ExpectTimeout);
        Adopt(expectation);
        return true;
    }

    /// <summary>Adds an expectation as it is.</summary>
    public void Adopt(Expectation expectation)
    {
        if (!_masters.TryGetValue(expectation.Master, out var master)) _masters.Add(expectation.Master, master = new MasterState());
        master.Expecting.Add(expectation);
        var place = Place.Of(expectation.Tuple);
        if (!_byPlace.TryGetValue(place, out var list)) _byPlace.Add(place, list = []);
        list.Add(expectation);
        Count++;
    }

    /// <summary>Forgets what a connection expected and what its helper remembered (<c>nf_ct_remove_expectations</c>).</summary>
    public void Forget(int connection)
    {
        if (!_masters.Remove(connection, out var master)) return;
        foreach (var expectation in master.Expecting) RemoveFromPlace(expectation);
    }

    /// <summary>Removes those that are meant; how many they were.</summary>
    public int RemoveAll(Func<Expectation, bool> isMeant)
    {
        var meant = All.Where(isMeant).ToList();
        foreach (var expectation in meant) Remove(expectation);
        return meant.Count;
    }

    /// <summary>Removes what nobody met in time.</summary>
    public void Sweep(long now)
    {
        if (Count > 0) RemoveExpired(now);
    }

    // On its own: what the query captures would be allocated on entry, where there is nothing to remove as well.
    private void RemoveExpired(long now)
    {
        foreach (var expectation in All.Where(e => e.Expires <= now).ToList()) Remove(expectation);
    }

    /// <summary>Removes an expectation.</summary>
    public void Remove(Expectation expectation)
    {
        RemoveFromPlace(expectation);
        if (_masters.TryGetValue(expectation.Master, out var master)) master.Expecting.Remove(expectation);
    }

    private void RemoveFromPlace(Expectation expectation)
    {
        var place = Place.Of(expectation.Tuple);
        if (!_byPlace.TryGetValue(place, out var list) || !RemoveSame(list, expectation)) return;
        Count--;
        Gone?.Invoke(expectation);
        if (list.Count == 0) _byPlace.Remove(place);
    }

    private void EvictOldest(MasterState master, byte kind, int maxExpected, long now)
    {
        foreach (var expired in master.Expecting.Where(e => e.Expires <= now).ToList()) Remove(expired);
        if (maxExpected == 0 || master.Expecting.Count(e => e.Class == kind) < maxExpected) return;
        Remove(master.Expecting.First(e => e.Class == kind));
    }

    /// <summary>By reference: records with equal contents are different expectations.</summary>
    private static bool RemoveSame(List<Expectation> list, Expectation expectation)
    {
        var at = list.FindIndex(e => ReferenceEquals(e, expectation));
        if (at < 0) return false;
        list.RemoveAt(at);
        return true;
    }

    /// <summary><c>expect_matches</c>.</summary>
    private static bool IsSame(Expectation a, Expectation b)
        => a.Tuple == b.Tuple && a.MatchSourceAddress == b.MatchSourceAddress && a.MatchSourcePort == b.MatchSourcePort
            && a.Zone == b.Zone;

    /// <summary><c>expect_clash</c>: some packet would meet both.</summary>
    private static bool Clash(Expectation a, Expectation b)
        => a.Zone == b.Zone
            && (!(a.MatchSourceAddress && b.MatchSourceAddress) || a.Tuple.Source == b.Tuple.Source)
            && (!(a.MatchSourcePort && b.MatchSourcePort) || a.Tuple.SourcePort == b.Tuple.SourcePort);

    /// <summary>What a first packet surely has in common with its expectation.</summary>
    private readonly record struct Place(IpAddress Destination, ushort Port, byte Protocol, IpFamily Family)
    {
        public static Place Of(in FlowTuple tuple) => new(tuple.Destination, tuple.DestinationPort, tuple.Protocol, tuple.Family);
    }

    /// <summary>What belongs to a connection with a helper.</summary>
    private sealed class MasterState
    {
        public object? Helper;
        public readonly List<Expectation> Expecting = [];
    }
}
