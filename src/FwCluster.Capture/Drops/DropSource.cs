namespace FwCluster.Capture.Drops;

/// <summary>One thread's way into a <see cref="DropWriter"/>. It belongs to that thread; it never waits, and does not allocate.</summary>
public sealed class DropSource
{
    /// <summary>Longest reason, bytes.</summary>
    public const int MaxReason = 1024;

    private readonly int _snapLength;
    private long _lost;
    private volatile bool _closed;

    internal DropSource(DropSettings settings)
    {
        _snapLength = settings.SnapLength;
        Ring = new DropRing(settings.BufferBytes);
    }

    /// <summary>Packets that found no room, or came after the writer was closed. Any thread may ask.</summary>
    public long Lost => Volatile.Read(ref _lost);

    internal DropRing Ring { get; }

    /// <summary>Hands a packet over; false where it was not taken, which is counted.</summary>
    public bool Write(in DroppedPacket packet)
    {
        var head = new DropRing.Head
        {
            WireLength = (uint)Math.Max(packet.WireLength, packet.Data.Length),
            Time = packet.Time,
            InterfaceLow = (ulong)packet.Interface.Value,
            InterfaceHigh = (ulong)(packet.Interface.Value >> 64),
            Link = (ushort)packet.Link,
        };
        var data = packet.Data[..Math.Min(packet.Data.Length, _snapLength)];
        var reason = packet.Reason[..Math.Min(packet.Reason.Length, MaxReason)];
        if (!_closed && Ring.TryAdd(head, data, reason)) return true;
        Volatile.Write(ref _lost, _lost + 1);
        return false;
    }

    internal void Close() => _closed = true;
}
