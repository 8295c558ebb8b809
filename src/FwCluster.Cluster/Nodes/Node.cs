using Akka.Actor;

namespace FwCluster.Cluster.Nodes;

/// <summary>One start of the daemon somewhere, as this process knows it. A node that comes back is another one.</summary>
/// <param name="number">This process's number for it; 0 for the process itself.</param>
/// <param name="uid">The number that its start drew.</param>
/// <param name="address">Where it is.</param>
/// <param name="gate">Its gate.</param>
internal sealed class Node(int number, int uid, Address address, IActorRef gate)
{
    private volatile bool _isGone;
    private volatile bool _isReachable = true;
    private volatile bool _isDraining;
    private volatile string _name = "";
    private volatile string _control = "";

    /// <summary>This process's number for it; 0 for the process itself.</summary>
    public int Number { get; } = number;

    /// <summary>The number that its start drew, the same everywhere.</summary>
    public int Uid { get; } = uid;

    /// <summary>Where it is.</summary>
    public Address Address { get; } = address;

    /// <summary>Its gate, where batches for its shards and workers go.</summary>
    public IActorRef Gate { get; } = gate;

    /// <summary>It keeps a directory of expectations. Written by the gate.</summary>
    public bool KeepsDirectory { get; set; }

    /// <summary>Its name, as control clients know it; empty where it has none. Written by the gate.</summary>
    public string Name
    {
        get => _name;
        set => _name = value;
    }

    /// <summary>Where its control plane can be asked; empty where it cannot. Written by the gate.</summary>
    public string Control
    {
        get => _control;
        set => _control = value;
    }

    /// <summary>It shall get no shards. Written by the gate.</summary>
    public bool IsDraining
    {
        get => _isDraining;
        set => _isDraining = value;
    }

    /// <summary>It answers, as far as the members know. Written by the gate.</summary>
    public bool IsReachable
    {
        get => _isReachable;
        set => _isReachable = value;
    }

    /// <summary>It is no member any more: nothing is sent there.</summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>This process itself.</summary>
    public bool IsHere => Number == 0;
}
