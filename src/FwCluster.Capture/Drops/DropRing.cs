using System.Numerics;
using System.Runtime.InteropServices;

namespace FwCluster.Capture.Drops;

/// <summary>
/// Packets on their way from one thread that drops them to one that writes them: a ring of bytes. Neither waits for the other.
/// </summary>
/// <remarks>A record lies in one piece: a head, the packet's bytes, the reason. Where it does not fit before the end of the
/// memory, a head without a length says to go on from the start. Positions only grow; their low bits are the place.</remarks>
internal sealed class DropRing
{
    private const int Alignment = 8;

    private static readonly int HeadBytes = Marshal.SizeOf<Head>();

    private readonly byte[] _bytes;
    private readonly int _mask;

    // Written by the consumer alone, and by the producer alone.
    private long _read;
    private long _written;

    public DropRing(int capacity)
    {
        _bytes = new byte[BitOperations.RoundUpToPowerOf2((uint)capacity)];
        _mask = _bytes.Length - 1;
    }

    /// <summary>What stands before a packet's bytes.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct Head
    {
        /// <summary>Bytes of the record, all in all; 0 to go on from the start.</summary>
        public int Record;
        public int Data;
        public int Reason;
        public uint WireLength;
        public long Time;
        public ulong InterfaceLow;
        public ulong InterfaceHigh;
        public ushort Link;
        public ushort Unused;
    }

    /// <summary>The producer's: adds a packet; false where there is no room.</summary>
    public bool TryAdd(Head head, ReadOnlySpan<byte> data, ReadOnlySpan<byte> reason)
    {
        head.Data = data.Length;
        head.Reason = reason.Length;
        head.Record = (HeadBytes + data.Length + reason.Length + Alignment - 1) & -Alignment;
        var place = (int)_written & _mask;
        var skipped = _bytes.Length - place < head.Record ? _bytes.Length - place : 0;
        if (_written + skipped + head.Record - Volatile.Read(ref _read) > _bytes.Length) return false;
        if (skipped != 0)
        {
            MemoryMarshal.Write(_bytes.AsSpan(place), 0);
            place = 0;
        }
        var record = _bytes.AsSpan(place, head.Record);
        MemoryMarshal.Write(record, in head);
        data.CopyTo(record[HeadBytes..]);
        reason.CopyTo(record[(HeadBytes + data.Length)..]);
        Volatile.Write(ref _written, _written + skipped + head.Record);
        return true;
    }

    /// <summary>The consumer's: the oldest packet; false where there is none. It stands until <see cref="Remove"/>.</summary>
    public bool TryPeek(out Head head, out ReadOnlySpan<byte> data, out ReadOnlySpan<byte> reason)
    {
        head = default;
        data = reason = default;
        if (_read == Volatile.Read(ref _written)) return false;
        var place = (int)_read & _mask;
        if (MemoryMarshal.Read<int>(_bytes.AsSpan(place)) == 0)
        {
            Volatile.Write(ref _read, _read + _bytes.Length - place);
            place = 0;
        }
        head = MemoryMarshal.Read<Head>(_bytes.AsSpan(place));
        data = _bytes.AsSpan(place + HeadBytes, head.Data);
        reason = _bytes.AsSpan(place + HeadBytes + head.Data, head.Reason);
        return true;
    }

    /// <summary>The consumer's: gives the place of the oldest packet back.</summary>
    public void Remove(in Head head) => Volatile.Write(ref _read, _read + head.Record);
}
