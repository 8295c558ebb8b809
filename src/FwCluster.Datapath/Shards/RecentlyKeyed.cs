namespace FwCluster.Datapath.Shards;

/// <summary>Remembers values by keys for a time. What is over goes as others come.</summary>
/// <param name="memory">For how long.</param>
internal sealed class RecentlyKeyed<TKey, TValue>(TimeSpan memory)
    where TKey : notnull
{
    private readonly long _memory = (long)memory.TotalNanoseconds;
    private readonly Dictionary<TKey, (TValue Value, long Until)> _values = [];
    private readonly Queue<(TKey Key, long Until)> _order = new();

    /// <summary>Remembers a value, in the place of the key's last one.</summary>
    public void Set(TKey key, TValue value, long now)
    {
        while (_order.TryPeek(out var oldest) && oldest.Until <= now)
        {
            _order.Dequeue();
            if (_values.TryGetValue(oldest.Key, out var old) && old.Until <= now) _values.Remove(oldest.Key);
        }
        _values[key] = (value, now + _memory);
        _order.Enqueue((key, now + _memory));
    }

    /// <summary>Finds what is remembered.</summary>
    public bool TryGet(TKey key, long now, out TValue value)
    {
        var isThere = _values.TryGetValue(key, out var found) && found.Until > now;
        value = isThere ? found.Value : default!;
        return isThere;
    }

    /// <summary>Forgets a value.</summary>
    public void Remove(TKey key) => _values.Remove(key);
}
