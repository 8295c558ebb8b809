using Akka.Actor;
using FwCluster.Cluster.Links;

namespace FwCluster.Cluster.Nodes;

/// <summary>One start of the daemon somewhere, as this process knows it. A node that comes back is another one.</summary>
/// <param name="number">This process's number for it; 0 for the process itself.</param>
/// <param name="uid">The number that its start drew.</param>
/// <param name="address">Where it is.</param>
/// <param name="gate">Its gate.</param>
/// <param name="link">The way there; null for the process itself.</param>
internal sealed class Node(int number, int uid, Address address, IActorRef gate, Link? link)
{
    private volatile bool _isGone;
    private volatile bool _isReachable = true;
    private volatile NodeWord _word = new("", "", false, false);

    /// <summary>This process's number for it; 0 for the process itself.</summary>
    public int Number { get; } = number;

    /// <summary>The number that its start drew, the same everywhere.</summary>
    public int Uid { get; } = uid;

    /// <summary>Where it is.</summary>
    public Address Address { get; } = address;

    /// <summary>Its gate, which tells what there is to know.</summary>
    public IActorRef Gate { get; } = gate;

    /// <summary>The way there for what packets wait for; null for the process itself.</summary>
    public Link? Link { get; } = link;

    /// <summary>What it has told of itself; nothing yet where it has not greeted. Written by the gate, read as a whole by any thread.</summary>
    public NodeWord Word
    {
        get => _word;
        set => _word = value;
    }

    /// <inheritdoc cref="NodeWord.Name"/>
    public string Name => _word.Name;

    /// <inheritdoc cref="NodeWord.Control"/>
    public string Control => _word.Control;

    /// <inheritdoc cref="NodeWord.KeepsDirectory"/>
    public bool KeepsDirectory => _word.KeepsDirectory;

    /// <inheritdoc cref="NodeWord.IsDraining"/>
    public bool IsDraining => _word.IsDraining;

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
