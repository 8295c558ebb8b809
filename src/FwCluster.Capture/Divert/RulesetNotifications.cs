using FwCluster.Capture.Netlink;

namespace FwCluster.Capture.Divert;

/// <summary>Waits for somebody to change rules in nf_tables, in the network namespace of the thread that opens it.</summary>
internal sealed class RulesetNotifications : IDisposable
{
    private const int TablesGroup = 7; // NFNLGRP_NFTABLES

    private readonly NetlinkSocket _socket = new(NetlinkSocket.Netfilter);
    private readonly WakeEvent _wake = new();
    private readonly byte[] _buffer = new byte[1 << 16];

    public RulesetNotifications()
    {
        try
        {
            _socket.Join(TablesGroup, "changes of rules");
            AreAnnounced = true;
        }
        catch (NetlinkException)
        {
            // A kernel without nf_tables has nothing to tell; the looks at intervals remain.
        }
    }

    /// <summary>The kernel has nf_tables, and tells of changes.</summary>
    public bool AreAnnounced { get; }

    /// <summary>Waits for a change, the end of the time, or <see cref="Wake"/>; takes all announcements so far.</summary>
    public void Wait(TimeSpan time)
    {
        if (_socket.Wait(_wake, (int)Math.Min(time.TotalMilliseconds, int.MaxValue), out _)) Drain();
    }

    /// <summary>Ends the wait, and all later ones; from any thread.</summary>
    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _socket.Dispose();
        _wake.Dispose();
    }

    private void Drain()
    {
        // What it says, and whether some was lost, does not matter: that something changed does.
        while (_socket.Receive(_buffer, wait: false) is > 0 or -LibC.NoBuffers) { }
    }
}
