using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Datapath.Shards;

/// <summary>
/// How a shard tells the nodes what its connections' helpers expect, and takes what others expect. Where there is but one shard, its table's own
/// expectations are all there are, and nobody needs telling.
/// </summary>
public interface IExpectationNetwork
{
    /// <summary>Tells every node's directory of an expectation. <see cref="Shard.Acknowledged"/> follows, once every node that can be reached has it,
    /// or has had its time. The holder's node has it early enough with the reply that the holder gets then.</summary>
    /// <param name="ticket">What the acknowledgement names.</param>
    /// <param name="holder">The worker whose packet announced it, and waits.</param>
    /// <param name="number">The expectation's number in this shard.</param>
    /// <param name="expectation">The expectation.</param>
    void Announce(long ticket, int holder, ulong number, Expectation expectation);

    /// <summary>True where another shard's expectation would be met by some packet that meets this one (<c>expect_clash</c>), as far as this node
    /// knows: two that are announced at the same moment are not seen to clash.</summary>
    bool Clashes(Expectation expectation);

    /// <summary>Takes an expectation out of every directory.</summary>
    void Withdraw(ulong number);

    /// <summary>Asks the master's shard for an expectation. <see cref="Shard.Claimed"/> follows.</summary>
    /// <param name="ticket">What the answer names.</param>
    /// <param name="expectation">The expectation.</param>
    /// <param name="tuple">The connection that claims it.</param>
    void Claim(long ticket, in ExpectationId expectation, in FlowTuple tuple);
}

/// <summary>Names an expectation among all shards.</summary>
/// <param name="Shard">The master's shard.</param>
/// <param name="Number">Its number there, from 1; 0 for none.</param>
public readonly record struct ExpectationId(int Shard, ulong Number)
{
    /// <summary>True where there is one.</summary>
    public bool IsSet => Number != 0;
}
