using FwCluster.Conntrack.Generic;
using FwCluster.Conntrack.Icmp;
using FwCluster.Conntrack.Sctp;
using FwCluster.Conntrack.Tcp;
using FwCluster.Conntrack.Udp;

namespace FwCluster.Conntrack;

/// <content>What those ask who look at a table from outside and change how it works, while it works.</content>
public sealed partial class ConnectionTable
{
    /// <summary>The most that <see cref="ConntrackSettings.MaxEntries"/> may be.</summary>
    public const int MaxLimit = 1 << 28;

    /// <summary>Is told what happens; null for nobody, which costs nothing. Set by the table's owner.</summary>
    public IConnectionEvents? Events { get; set; }

    /// <summary>Slots ever used: indices of entries lie below it. Only grows.</summary>
    public int Slots => _store.Capacity;

    /// <summary>True where the slot has an entry that is in the table and lives at <paramref name="now"/>.</summary>
    /// <param name="index">0 to <see cref="Slots"/> - 1.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public bool IsLiving(int index, long now) => IsInTable(_store[index]) && _store[index].Expires > now;

    /// <summary>Takes expectations away (<c>nf_ct_unexpect_related</c>).</summary>
    /// <param name="isMeant">Tells, for an expectation and its master, whether it is to go.</param>
    /// <returns>How many went.</returns>
    public int RemoveExpectations(Func<Expectation, bool> isMeant) => _expectations.RemoveAll(isMeant);

    /// <summary>Changes limits and timeouts. An entry keeps its timeout until its next packet; where there are more entries than the new limit,
    /// they stay, and no more come. Buckets stay as many as they were, as the kernel's do.</summary>
    /// <exception cref="ArgumentException">A limit is out of range; nothing was changed.</exception>
    public void Change(ConntrackSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.MaxEntries is < 1 or > MaxLimit)
            throw new ArgumentException($"MaxEntries is {settings.MaxEntries}; it must be 1 to {MaxLimit}", nameof(settings));
        Settings = settings;
        _expectations.Settings = settings;
        _tcp = new TcpTracker(settings);
        _udp = new UdpTracker(settings);
        _sctp = new SctpTracker(settings);
        _icmp = new IcmpTracker(settings);
        _generic = new GenericTracker(settings);
    }

    /// <summary>What an update is told for: the status bits and the protocol's state.</summary>
    private static (ConnectionStatus Status, byte State) StageOf(in Connection connection)
        => (connection.Status, connection.Original.Protocol == Packets.IpProtocol.Sctp ? (byte)connection.SctpState : (byte)connection.Tcp.State);

    private void TellUpdate(int index, (ConnectionStatus Status, byte State) before)
    {
        ref var connection = ref _store[index];
        if (connection.IsConfirmed && StageOf(in connection) != before) Events!.Changed(index, in connection);
    }
}
