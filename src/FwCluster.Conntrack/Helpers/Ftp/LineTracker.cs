using System.Buffers.Binary;

namespace FwCluster.Conntrack.Helpers.Ftp;

/// <summary>
/// Knows where lines begin in one direction of a control connection: right behind a segment that ended with a newline. The two
/// latest such places are remembered, so that a retransmitted line is read again, and a line inside other text is never read
/// (<c>find_nl_seq</c>, <c>update_nl_seq</c>). Nothing is a line's beginning before the first newline was seen.
/// </summary>
internal struct LineTracker
{
    private uint _first;
    private uint _second;
    private byte _count;
    private bool _pickUp;

    /// <summary>A tracker that takes the next segment, wherever it is, for a line's beginning
    /// (<c>NF_CT_FTP_SEQ_PICKUP</c>).</summary>
    public static LineTracker PickedUp => new() { _pickUp = true };

    /// <summary>Bytes that it is saved in.</summary>
    public const int SavedBytes = 10;

    /// <summary>Writes it as bytes.</summary>
    public readonly void Save(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, _first);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], _second);
        (bytes[8], bytes[9]) = (_count, _pickUp ? (byte)1 : (byte)0);
    }

    /// <summary>Reads what <see cref="Save"/> wrote; false where it did not.</summary>
    public static bool TryLoad(ReadOnlySpan<byte> bytes, out LineTracker tracker)
    {
        tracker = new()
        {
            _first = BinaryPrimitives.ReadUInt32BigEndian(bytes), _second = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), _count = bytes[8],
            _pickUp = bytes[9] == 1,
        };
        return bytes[8] <= 2 && bytes[9] <= 1;
    }

    /// <summary>True where a line begins at this sequence number. Uses up a pending pick-up.</summary>
    public bool BeginsLine(uint sequence)
    {
        if ((_count > 0 && _first == sequence) || (_count > 1 && _second == sequence)) return true;
        var picked = _pickUp;
        _pickUp = false;
        return picked;
    }

    /// <summary>Remembers that a newline stood right before this sequence number, unless both known places are later.</summary>
    public void NoteLineStart(uint sequence)
    {
        switch (_count)
        {
            case 0:
                _first = sequence;
                _count = 1;
                break;
            case 1 when _first != sequence:
                _second = sequence;
                _count = 2;
                break;
            case 2 when _first != sequence && _second != sequence:
                ref var oldest = ref _second;
                if (IsBefore(_first, _second)) oldest = ref _first;
                if (IsBefore(oldest, sequence)) oldest = sequence;
                break;
        }
    }

    private static bool IsBefore(uint left, uint right) => (int)(left - right) < 0;
}
