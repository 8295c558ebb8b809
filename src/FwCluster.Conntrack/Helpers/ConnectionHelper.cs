using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers;

/// <summary>
/// Follows a protocol that announces further connections (<c>struct nf_conntrack_helper</c>). One instance serves every
/// connection of a table; what it must remember of one is in <see cref="HelperCall.State"/>.
/// </summary>
public abstract class ConnectionHelper
{
    /// <summary>The name rules use: <c>ftp</c>, <c>tftp</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The transport protocol it reads.</summary>
    public abstract byte Protocol { get; }

    /// <summary>Destination ports it attaches to by itself, where automatic helpers are on.</summary>
    public required IReadOnlyList<ushort> Ports { get; init; }

    /// <summary>Expectations one connection may have at a time; another one replaces the oldest
    /// (<c>nf_conntrack_expect_policy.max_expected</c>).</summary>
    public abstract int MaxExpected { get; }

    /// <summary>How long an expectation waits for its connection.</summary>
    public abstract TimeSpan ExpectTimeout { get; }

    /// <summary>Writes what it remembers of a connection, for another table's to <see cref="Load"/>.</summary>
    /// <param name="state">What <see cref="HelperCall.State"/> holds; null for nothing.</param>
    /// <returns>The bytes; empty where there is nothing to take along.</returns>
    public virtual byte[] Save(object? state) => [];

    /// <summary>Reads what another table's has saved.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <returns>What <see cref="HelperCall.State"/> is to hold; null where the bytes are none that it has written.</returns>
    public virtual object? Load(ReadOnlySpan<byte> bytes) => null;

    /// <summary>What to remember of a connection whose latest packets another table has seen, and did not tell of.</summary>
    /// <param name="state">What <see cref="HelperCall.State"/> was before.</param>
    public virtual object? PickUp(object? state) => state;

    /// <summary>Tells, without a trace, whether <see cref="Help"/> might note an expectation for this packet. A table that holds a connection for another
    /// one leaves such a packet to it.</summary>
    public virtual bool MayExpect(in HelperCall call) => true;

    /// <summary>
    /// Reads a packet of a connection the helper is attached to, after the rules accepted it and before it goes on.
    /// </summary>
    /// <returns>False where the packet must be dropped.</returns>
    public abstract bool Help(ref HelperCall call);
}

/// <summary>A packet on its way through a helper.</summary>
public ref struct HelperCall
{
    /// <summary>The packet's headers.</summary>
    public ref readonly PacketHeaders Headers;

    /// <summary>The packet's bytes from the IP header on, as many as were captured.</summary>
    public ReadOnlySpan<byte> Packet;

    /// <summary>The packet's direction in the connection.</summary>
    public Direction Direction;

    /// <summary>The packet's state: a helper for TCP reads only what is established.</summary>
    public ConntrackState PacketState;

    /// <summary>The connection the packet belongs to.</summary>
    public ref Connection Connection;

    /// <summary>Its index.</summary>
    public int ConnectionIndex;

    /// <summary>What the helper remembers of the connection; null until it stores something.</summary>
    public ref object? State;

    /// <summary>Nanoseconds since the Unix epoch.</summary>
    public long Now;

    /// <summary>Where expectations go.</summary>
    public IExpectationSink Expectations;

    /// <summary>The transport's payload, as much as was captured; empty where none is.</summary>
    public readonly ReadOnlySpan<byte> Payload
    {
        get
        {
            var end = Math.Min(Packet.Length, Headers.TotalLength);
            return Headers.PayloadOffset < end ? Packet[Headers.PayloadOffset..end] : default;
        }
    }
}

/// <summary>Where a helper puts what it expects.</summary>
public interface IExpectationSink
{
    /// <summary>Notes an expectation (<c>nf_ct_expect_related</c>); its end is set from the helper's timeout. False where it clashes with
    /// another master's, or the limit of the table is reached.</summary>
    bool Expect(Expectation expectation, ConnectionHelper helper, long now);
}
