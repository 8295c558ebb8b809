namespace FwCluster.Conntrack;

/// <summary>Is told what happens in a table, while it happens, by the table's owner. Must be quick, and must not change the table.</summary>
public interface IConnectionEvents
{
    /// <summary>A connection was confirmed.</summary>
    /// <param name="index">Its index.</param>
    /// <param name="connection">The entry.</param>
    void Began(int index, in Connection connection);

    /// <summary>A confirmed connection's protocol state, or one of its status bits, changed (IPCT_PROTOINFO, IPCT_REPLY, IPCT_ASSURED).</summary>
    /// <inheritdoc cref="Began"/>
    void Changed(int index, in Connection connection);

    /// <summary>A connection was taken out of the table.</summary>
    /// <inheritdoc cref="Began"/>
    void Ended(int index, in Connection connection);

    /// <summary>A helper announced a connection.</summary>
    /// <param name="expectation">What is expected.</param>
    /// <param name="master">The connection that announced it.</param>
    void Expected(Expectation expectation, in Connection master);
}
