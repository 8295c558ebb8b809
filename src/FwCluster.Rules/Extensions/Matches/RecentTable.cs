using FwCluster.Packets;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>
/// A list of addresses recently seen, with the times (<c>struct recent_table</c> in xt_recent.c): at most <see cref="MaxEntries"/>, the one
/// not touched for longest making room for a new one. Owned by one worker; allocates only when it first reaches a number of entries.
/// </summary>
internal sealed class RecentTable
{
    /// <summary>Addresses that a list remembers (the module's ip_list_tot).</summary>
    public const int MaxEntries = 100;

    private readonly Entry[] _entries = new Entry[MaxEntries];

    // Each entry's times, a ring; made when its place is first used.
    private readonly ulong[]?[] _stamps = new ulong[]?[MaxEntries];
    private int _stampMask;
    private ulong _touches;

    /// <summary>Makes an empty list.</summary>
    /// <param name="mask">Which bits of addresses count.</param>
    /// <param name="hitCount">The rule's <c>--hitcount</c>, or 0.</param>
    public RecentTable(IpAddress mask, int hitCount)
    {
        Mask = mask;
        _stampMask = StampMask(hitCount);
    }

    /// <summary>Which bits of addresses count: as the first rule of this list said.</summary>
    public IpAddress Mask { get; }

    /// <summary>Makes room for as many times as a further rule asks for; an address then starts anew (<c>recent_mt_check</c>).</summary>
    public void Extend(int hitCount)
    {
        if (StampMask(hitCount) <= _stampMask) return;
        _stampMask = StampMask(hitCount);
        Array.Clear(_stamps);
        Array.Clear(_entries);
    }

    /// <summary>The entry of an address, or -1; of several the oldest.</summary>
    /// <param name="address">Masked.</param>
    /// <param name="ttl">The time to live that must be the entry's, or 0 for any.</param>
    public int Find(IpAddress address, byte ttl)
    {
        var found = -1;
        for (var e = 0; e < _entries.Length; e++)
        {
            ref readonly var entry = ref _entries[e];
            if (!entry.IsUsed || entry.Address != address || ttl != entry.Ttl && ttl != 0 && entry.Ttl != 0) continue;
            if (found < 0 || entry.Made < _entries[found].Made) found = e;
        }
        return found;
    }

    /// <summary>A new entry, seen now.</summary>
    public void Add(IpAddress address, byte ttl, ulong jiffies)
    {
        var place = Array.FindIndex(_entries, e => !e.IsUsed);
        if (place < 0) place = Oldest();
        _entries[place] = new()
        {
            IsUsed = true, Address = address, Ttl = ttl, Index = 1, Stamps = 1, Made = ++_touches, Touched = _touches,
        };
        StampsOf(place)[0] = jiffies;
    }

    /// <summary>Seen again.</summary>
    public void Update(int place, byte ttl, ulong jiffies)
    {
        ref var entry = ref _entries[place];
        entry.Index &= (ushort)_stampMask;
        StampsOf(place)[entry.Index] = jiffies;
        entry.Index++;
        if (entry.Index > entry.Stamps) entry.Stamps = entry.Index;
        entry.Touched = ++_touches;
        entry.Ttl = ttl;
    }

    /// <summary>Forgets an entry.</summary>
    public void Remove(int place) => _entries[place] = default;

    /// <summary>Was it seen as often as <paramref name="hitCount"/> (0: once) at or after <paramref name="since"/> (null: ever)?</summary>
    public bool WasSeen(int place, int hitCount, ulong? since)
    {
        var hits = 0;
        foreach (var stamp in StampsOf(place)[.._entries[place].Stamps])
        {
            if (since is { } time && (long)(stamp - time) < 0) continue;
            if (hitCount == 0 || ++hits >= hitCount) return true;
        }
        return false;
    }

    /// <summary>Forgets the entry not touched for longest, where its last time is before <paramref name="since"/>, unless it is
    /// <paramref name="kept"/>.</summary>
    public void Reap(ulong since, int kept)
    {
        var oldest = Oldest();
        if (oldest < 0 || oldest == kept) return;
        var last = StampsOf(oldest)[(_entries[oldest].Index - 1) & _stampMask];
        if ((long)(last - since) < 0) Remove(oldest);
    }

    private int Oldest()
    {
        var oldest = -1;
        for (var e = 0; e < _entries.Length; e++)
        {
            if (_entries[e].IsUsed && (oldest < 0 || _entries[e].Touched < _entries[oldest].Touched)) oldest = e;
        }
        return oldest;
    }

    private Span<ulong> StampsOf(int place) => _stamps[place] ??= new ulong[_stampMask + 1];

    private static int StampMask(int hitCount)
        => hitCount == 0 ? 31 : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)hitCount) - 1;

    private struct Entry
    {
        public IpAddress Address;
        public bool IsUsed;
        public byte Ttl;

        // The place behind the last time; wraps where the ring is as long as it counts, as the kernel's.
        public ushort Index;
        public ushort Stamps;
        public ulong Made;
        public ulong Touched;
    }
}
