using System.Buffers.Binary;
using FwCluster.Capture.Netlink;

namespace FwCluster.Capture.Queue;

/// <summary>Verdicts on their way to the kernel: many messages in one send, and where it may be, many verdicts in one message.</summary>
internal sealed class VerdictBuffer(NetlinkSocket socket, ushort queue)
{
    public const uint Drop = 0;
    public const uint Accept = 1;

    /// <summary>Room for many verdicts and a packet or two; the socket's send buffer takes it.</summary>
    public const int Capacity = 1 << 18;

    private const ushort VerdictMessage = 3 << 8 | 1;
    private const ushort BatchMessage = 3 << 8 | 3;
    private const ushort VerdictHeader = 2;
    private const ushort Mark = 3;
    private const ushort Payload = 10;
    private const int LargestWithoutPayload = NetlinkMessage.NetfilterHeaderBytes + 12 + 8;
    private const int IdOffset = NetlinkMessage.NetfilterHeaderBytes + NetlinkMessage.AttributeHeaderBytes + 4;

    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Capacity, pinned: true);
    private int _length;

    // The last message, where it is a batch that the next verdict may extend.
    private int _run = -1;
    private uint _runVerdict;
    private uint? _runMark;

    /// <summary>Nothing waits to be sent.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>Adds the verdict on one packet.</summary>
    public void Add(uint id, uint verdict, uint? mark)
    {
        Append(VerdictMessage, id, verdict, mark, default);
        _run = -1;
    }

    /// <summary>Adds a verdict on all packets up to this one that have none yet: nfqnl_recv_verdict_batch.</summary>
    public void AddUpTo(uint id, uint verdict, uint? mark)
    {
        if (_run >= 0 && _runVerdict == verdict && _runMark == mark)
        {
            BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(_run + IdOffset), id);
            return;
        }
        _run = Append(BatchMessage, id, verdict, mark, default);
        (_runVerdict, _runMark) = (verdict, mark);
    }

    /// <summary>Adds the verdict to accept a packet with other bytes than it had.</summary>
    public void AddChanged(uint id, uint? mark, ReadOnlySpan<byte> payload)
    {
        Append(VerdictMessage, id, Accept, mark, payload);
        _run = -1;
    }

    /// <summary>Sends. The kernel takes the packets on their way before this returns.</summary>
    public void Send()
    {
        if (_length == 0) return;
        var length = _length;
        _length = 0;
        _run = -1;
        socket.Send(_bytes.AsSpan(0, length));
    }

    private int Append(ushort type, uint id, uint verdict, uint? mark, ReadOnlySpan<byte> payload)
    {
        if (_length + LargestWithoutPayload + NetlinkMessage.AttributeHeaderBytes + payload.Length + 3 > Capacity) Send();
        var at = _length;
        var message = new NetlinkMessage(_bytes.AsSpan(at), type, NetlinkMessage.Request);
        message.AddNetfilterHeader(0, queue);
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(header, verdict);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], id);
        message.Add(VerdictHeader, header);
        if (mark is { } value) message.Add(Mark, value);
        if (!payload.IsEmpty) message.Add(Payload, payload);
        _length += message.End().Length;
        return at;
    }
}
