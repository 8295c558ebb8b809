namespace FwCluster.Conntrack;

/// <content>Helpers come and go while connections live, as kernel modules do.</content>
public sealed partial class ConnectionTable
{
    /// <summary>True where the helper of this name is loaded.</summary>
    public bool IsLoaded(string helper) => _isLoaded[IndexOf(helper)];

    /// <summary>Lets a helper attach to new connections again (<c>modprobe</c>). All are loaded at first.</summary>
    /// <exception cref="ArgumentException">No helper of <see cref="Helpers"/> has this name.</exception>
    public void Load(string helper) => _isLoaded[IndexOf(helper)] = true;

    /// <summary>Takes a helper from the connections that have it, what they expect with it; it attaches to none until it is loaded again
    /// (<c>modprobe -r</c>, <c>nf_conntrack_helper_unregister</c>).</summary>
    /// <exception cref="ArgumentException">No helper of <see cref="Helpers"/> has this name.</exception>
    public void Unload(string helper)
    {
        var index = IndexOf(helper);
        _isLoaded[index] = false;
        for (var at = 0; at < _store.Capacity; at++)
        {
            ref var connection = ref _store[at];
            if (connection.Status == ConnectionStatus.None) continue;
            if (connection.MasterHelper == index + 1) connection.MasterHelper = 0;
            if (connection.Helper != index + 1) continue;
            connection.Helper = 0;
            _expectations.Forget(at);
        }
    }

    private int IndexOf(string helper)
    {
        for (var i = 0; i < Helpers.Count; i++)
            if (Helpers[i].Name == helper)
                return i;
        throw new ArgumentException(
            $"there is no helper \"{helper}\"; there are {string.Join(", ", Helpers.Select(h => h.Name))}", nameof(helper));
    }
}
