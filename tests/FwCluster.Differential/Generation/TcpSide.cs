namespace FwCluster.Differential.Generation;

/// <summary>What one end of a modelled TCP connection knows and has sent; plain data of <see cref="TcpConversation"/>.</summary>
internal sealed class TcpSide
{
    /// <summary>Next sequence number to send.</summary>
    public uint Next;

    /// <summary>What it would acknowledge: the other's data up to here.</summary>
    public uint Received;

    /// <summary>The window it announces, unscaled.</summary>
    public ushort Window = 65535;

    /// <summary>The scale that it offered, or -1.</summary>
    public int Offered = -1;

    /// <summary>The scale in force.</summary>
    public int Scale;

    /// <summary>Largest acknowledgment plus window that it has sent: the other must not send beyond.</summary>
    public uint Edge;

    /// <summary>The other end.</summary>
    public TcpSide Other = null!;

    /// <summary>True for the end that opened.</summary>
    public bool IsClient;
}
