using System.Collections.Concurrent;

namespace FwCluster.Cluster;

/// <summary>Things that are used again, on whatever thread; more than it keeps go to the garbage collector.</summary>
internal sealed class Pool<T>(int keeps, Action<T> clear)
    where T : class, new()
{
    private readonly ConcurrentQueue<T> _free = new();

    /// <summary>An empty one.</summary>
    public T Take() => _free.TryDequeue(out var item) ? item : new T();

    /// <summary>Gives one back.</summary>
    public void Return(T item)
    {
        if (_free.Count >= keeps) return;
        clear(item);
        _free.Enqueue(item);
    }
}
