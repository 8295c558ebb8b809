using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>
/// The connections of one owner and what decides over them: <see cref="Track"/> is the kernel's <c>nf_conntrack_in</c>,
/// <see cref="Confirm"/> its <c>nf_confirm</c>. No clock, thread or lock: the caller is the single writer and brings the time.
/// Neither allocates, but for what a helper remembers of a control connection.
/// </summary>
public sealed class ConnectionTable : IExpectationSink
{
    /// <summary>Makes an empty table.</summary>
    /// <param name="settings">Limits and timeouts.</param>
    /// <param name="helpers">Helpers that may attach, at most 255.</param>
    public ConnectionTable(ConntrackSettings settings, IReadOnlyList<ConnectionHelper> helpers)
    {
        Settings = settings;
        Helpers = helpers;
    }

    /// <summary>Limits and timeouts.</summary>
    public ConntrackSettings Settings { get; }

    /// <summary>The helpers that may attach.</summary>
    public IReadOnlyList<ConnectionHelper> Helpers { get; }

    /// <summary>What was counted so far.</summary>
    public ConntrackStatistics Statistics { get; } = new();

    /// <summary>Entries in the table.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>The entry with this index. Valid until the entry is removed.</summary>
    public ref Connection this[int index] => throw new NotImplementedException();

    /// <summary>
    /// Tells the state of a packet and moves its connection on. A packet that begins a connection gets an entry that is not in the
    /// table yet; the caller must <see cref="Confirm"/> or <see cref="Discard"/> it.
    /// </summary>
    /// <param name="headers">The headers of a whole packet: fragments are put together before.</param>
    /// <param name="packet">Its bytes from the IP header on, as many as were captured.</param>
    /// <param name="template">What the raw table said.</param>
    /// <param name="now">Nanoseconds since the Unix epoch; never less than in the call before.</param>
    public TrackResult Track(in PacketHeaders headers, ReadOnlySpan<byte> packet, in ConnectionTemplate template, long now)
        => throw new NotImplementedException();

    /// <summary>
    /// The rules accepted the packet: its helper reads it, and a new entry goes into the table (<c>nf_confirm</c>). Harmless for a
    /// packet without a connection.
    /// </summary>
    /// <returns>False where the packet must be dropped after all.</returns>
    public bool Confirm(ref TrackResult result, in PacketHeaders headers, ReadOnlySpan<byte> packet, long now)
        => throw new NotImplementedException();

    /// <summary>The rules did not accept the packet: an entry that it would have begun is forgotten.</summary>
    public void Discard(ref TrackResult result) => throw new NotImplementedException();

    /// <summary>Finds the entry of a tuple, whichever its direction.</summary>
    /// <returns>The index, or -1.</returns>
    public int Find(in FlowTuple tuple, ushort zone, long now, out Direction direction) => throw new NotImplementedException();

    /// <summary>Removes an entry, its expectations with it.</summary>
    public void Remove(int index) => throw new NotImplementedException();

    /// <summary>Removes entries whose time is over, looking at <paramref name="budget"/> slots at most, and going on there next time.</summary>
    /// <returns>How many were removed.</returns>
    public int Sweep(long now, int budget) => throw new NotImplementedException();

    /// <summary>Indices of the entries that live at <paramref name="now"/>. The table must not change meanwhile.</summary>
    public IEnumerable<int> Connections(long now) => throw new NotImplementedException();

    /// <summary>The expectations that live at <paramref name="now"/>.</summary>
    public IEnumerable<Expectation> Expectations(long now) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool Expect(Expectation expectation, ConnectionHelper helper, long now) => throw new NotImplementedException();
}
