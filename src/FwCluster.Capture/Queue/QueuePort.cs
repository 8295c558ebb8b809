using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FwCluster.Capture.Netlink;
using FwCluster.Packets;
using Microsoft.Win32.SafeHandles;

namespace FwCluster.Capture.Queue;

/// <summary>
/// The inline port: one netfilter queue (nfnetlink_queue) of the network namespace of the thread that opens it. One thread at a time uses it;
/// only <see cref="Wake"/> and <see cref="Wait"/> may be called beside.
/// </summary>
/// <remarks>
/// <list type="number">
/// <item><see cref="Receive"/> sends the verdicts given so far, then takes a batch of packets, waiting for one where there is none.</item>
/// <item><see cref="TryNext"/> hands over one packet after the other.</item>
/// <item>Each gets exactly one verdict, now or in a later batch.</item>
/// </list>
/// Verdicts given in the order of the packets, with none held, travel as one message for all; others as one message each, all in one send.
/// Needs CAP_NET_ADMIN and nothing else. Segmentation offload is kept on: packets have up to 64 KiB and unfinished checksums. Nothing here
/// allocates once the port is open.
/// </remarks>
public sealed class QueuePort : IDisposable
{
    private const ushort ConfigMessage = 3 << 8 | 2;
    private const ushort PacketMessageType = 3 << 8 | 0;
    private const ushort Command = 1;
    private const ushort Parameters = 2;
    private const ushort MaxLength = 3;
    private const ushort FlagMask = 4;
    private const ushort Flags = 5;
    private const byte Bind = 1;
    private const byte CopyPacket = 2;
    private const uint CopyRange = 0xffff;
    private const uint FailOpenFlag = 1;
    private const uint SegmentationFlag = 4;
    private const uint EveryFlag = 0x1f;
    private const int NoOverrunErrors = 5; // NETLINK_NO_ENOBUFS
    private const int ShortErrors = 10; // NETLINK_CAP_ACK
    private const int NetAdmin = 12;

    private readonly NetlinkSocket _socket = new(NetlinkSocket.Netfilter);
    private readonly WakeEvent _wake = new();
    private readonly InterfaceNames _names;
    private readonly ReceiveBatch _batch;
    private readonly VerdictBuffer _verdicts;
    private readonly SafeFileHandle? _kernelCounters;

    // Where reading stands: the receive, and what is left of it.
    private int _received;
    private int _index;
    private int _offset;
    private long _batchTime;

    // Which ids were handed over, and how many of them have no verdict yet.
    private uint _lastId;
    private int _undecided;

    private QueuePort(QueueSettings settings, InterfaceNames names)
    {
        Number = settings.Number;
        _names = names;
        _verdicts = new VerdictBuffer(_socket, (ushort)settings.Number);
        _batch = new ReceiveBatch(settings.BatchSize);
        try
        {
            Configure(settings);
            _kernelCounters = OpenKernelCounters();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The queue's number.</summary>
    public int Number { get; }

    /// <summary>Counts.</summary>
    public QueueStatistics Statistics { get; } = new();

    /// <summary>Packets handed over that have no verdict yet: those that are held.</summary>
    public int Undecided => _undecided;

    /// <summary>Opens a queue. From then on, until the port is disposed, a NFQUEUE rule with this number hands over packets.</summary>
    /// <param name="settings">Which queue, and how.</param>
    /// <param name="names">The names of the same namespace's interfaces.</param>
    /// <exception cref="NetlinkException">The kernel has no queues, the process may not, or another one has this queue.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is out of its range.</exception>
    public static QueuePort Open(QueueSettings settings, InterfaceNames names)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(names);
        settings.Check();
        return new QueuePort(settings, names);
    }

    /// <summary>Sends the verdicts given so far and receives packets. Packets of the last receive that were not handed over yet are not lost:
    /// they come first.</summary>
    /// <param name="milliseconds">The longest wait for a packet; 0 for none, negative for no limit.</param>
    /// <returns>True where there are packets; false when the time is over or somebody woke the port.</returns>
    /// <exception cref="NetlinkException">The kernel broke off.</exception>
    public bool Receive(int milliseconds)
    {
        _verdicts.Send();
        if (_index < _received) return true;
        if (Fill()) return true;
        return milliseconds != 0 && Wait(milliseconds, out _) && Fill();
    }

    /// <summary>Waits for packets without receiving them. The one thread that waits may do so while another one gives verdicts.</summary>
    /// <param name="milliseconds">The longest wait; negative for no limit.</param>
    /// <param name="isWoken">Somebody woke the port.</param>
    /// <returns>True where there are packets.</returns>
    public bool Wait(int milliseconds, out bool isWoken)
    {
        var isReady = _socket.Wait(_wake, milliseconds, out isWoken);
        if (isWoken) _wake.Reset();
        return isReady;
    }

    /// <summary>Hands over the next packet of the receive. Does not allocate.</summary>
    /// <returns>False when there is none left.</returns>
    public bool TryNext(out QueuedPacket packet)
    {
        while (_index < _received)
        {
            var message = _batch[_index][_offset..];
            var length = message.Length < NetlinkMessage.HeaderBytes ? 0 : MemoryMarshal.Read<int>(message);
            var isWhole = length >= NetlinkMessage.HeaderBytes && length <= message.Length;
            _offset += (length + 3) & ~3;
            if (!isWhole || _offset + NetlinkMessage.HeaderBytes > _batch[_index].Length)
            {
                _index++;
                _offset = 0;
            }
            if (!isWhole) Statistics.Malformed++;
            else if (Read(message[..length], out packet)) return true;
        }
        packet = default;
        return false;
    }

    /// <summary>Lets a packet pass as it is.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="mark">Its new mark; null leaves the mark it has.</param>
    public void Accept(uint id, uint? mark = null)
    {
        Statistics.Accepted++;
        Decide(id, VerdictBuffer.Accept, mark);
    }

    /// <summary>Drops a packet.</summary>
    /// <param name="id">Its id.</param>
    public void Drop(uint id)
    {
        Statistics.Dropped++;
        Decide(id, VerdictBuffer.Drop, null);
    }

    /// <summary>
    /// Lets a packet pass with the changes that were made to its bytes, as a TOS or DSCP target makes them; writes the IPv4 header's
    /// checksum, and where the transport checksum is unfinished, that one: the kernel no longer leaves it to the network card.
    /// </summary>
    /// <param name="packet">The packet, before the next receive.</param>
    /// <param name="mark">Its new mark; null leaves the mark it has.</param>
    /// <returns>False where the packet was too long to be received whole: it passes as it was.</returns>
    public bool AcceptChanged(in QueuedPacket packet, uint? mark = null)
        => AcceptChanged(packet.Id, packet.Bytes, packet.Length, packet.IsChecksumUnfinished, mark);

    /// <summary>The same for a packet that was held: what the holder kept of it.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="bytes">Its bytes, with the changes; checksums are written into them.</param>
    /// <param name="length">Its <see cref="QueuedPacket.Length"/>.</param>
    /// <param name="isChecksumUnfinished">Its <see cref="QueuedPacket.IsChecksumUnfinished"/>.</param>
    /// <param name="mark">Its new mark; null leaves the mark it has.</param>
    /// <returns>False where the bytes are not a whole packet: it passes as it was.</returns>
    public bool AcceptChanged(uint id, Span<byte> bytes, int length, bool isChecksumUnfinished, uint? mark = null)
    {
        var header = bytes.IsEmpty || bytes[0] >> 4 != 4 ? 0 : (bytes[0] & 15) * 4;
        if (header is >= 20 && header <= bytes.Length) Checksum.WriteIPv4Header(bytes[..header]);
        if (bytes.Length < length || PacketDecoder.Decode(bytes, length, out var headers) != DecodeResult.Ok)
        {
            Accept(id, mark);
            return false;
        }
        if (isChecksumUnfinished) Checksum.WriteTransport(in headers, bytes);
        Statistics.Accepted++;
        _undecided--;
        _verdicts.AddChanged(id, mark, bytes);
        return true;
    }

    /// <summary>Sends the verdicts given so far, without receiving.</summary>
    /// <exception cref="NetlinkException">The kernel broke off.</exception>
    public void Send() => _verdicts.Send();

    /// <summary>Ends the wait of a <see cref="Receive"/>, the present one or the next; from any thread, for a stop or for an answer that came
    /// from elsewhere.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Reads the kernel's own counts. Any thread may, while the port is open.</summary>
    /// <returns>False where the process may not read them (they are root's).</returns>
    public bool TryReadKernelCounters(out KernelQueueCounters counters)
    {
        counters = default;
        if (_kernelCounters is null) return false;
        Span<byte> text = stackalloc byte[4096];
        var length = 0;
        int read;
        while (length < text.Length && (read = RandomAccess.Read(_kernelCounters, text[length..], length)) > 0) length += read;
        return KernelQueueCounters.TryFind(text[..length], Number, out counters);
    }

    /// <summary>Sends the verdicts given so far and closes the queue. Packets without a verdict are dropped by the kernel.</summary>
    public void Dispose()
    {
        try
        {
            _verdicts.Send();
        }
        catch (NetlinkException)
        {
            // The queue goes either way, and its packets with it.
        }
        _socket.Dispose();
        _wake.Dispose();
        _batch.Dispose();
        _kernelCounters?.Dispose();
    }

    private bool Fill()
    {
        _index = _offset = 0;
        var received = _batch.Receive(_socket);
        _received = Math.Max(received, 0);
        switch (-received)
        {
            case <= 0:
                break;
            case LibC.TryAgain or LibC.Interrupted or LibC.NoBuffers:
                return false;
            case var reason:
                throw new NetlinkException($"queue {Number}: receive: {LibC.Describe(reason)}", reason);
        }
        Statistics.Batches++;
        _batchTime = (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100;
        return _received > 0;
    }

    private bool Read(Span<byte> message, out QueuedPacket packet)
    {
        packet = default;
        var type = MemoryMarshal.Read<ushort>(message[4..]);
        if (type == NetlinkMessage.Error)
        {
            Statistics.RefusedVerdicts++;
            return false;
        }
        if (type != PacketMessageType || !PacketMessage.TryRead(message, out packet))
        {
            Statistics.Malformed++;
            return false;
        }
        Statistics.Packets++;
        Statistics.Bytes += (ulong)packet.Length;
        // Ids count up by one, also for packets that the kernel then could not hand over (__nfqnl_enqueue_packet).
        Statistics.Overruns += packet.Id - _lastId - 1;
        _lastId = packet.Id;
        _undecided++;
        packet.In = _names.Find(packet.InIndex, out var mac);
        packet.HasInterfaceMac = packet.HasSourceMac && mac.HasValue;
        packet.InterfaceMac = mac.GetValueOrDefault();
        packet.Out = _names[packet.OutIndex];
        if (packet.Time == 0) packet.Time = _batchTime;
        return true;
    }

    private void Decide(uint id, uint verdict, uint? mark)
    {
        // A batch verdict is for all packets up to the id. It is right for the last packet handed over, when none before it is held.
        if (--_undecided == 0 && id == _lastId) _verdicts.AddUpTo(id, verdict, mark);
        else _verdicts.Add(id, verdict, mark);
    }

    private void Configure(QueueSettings settings)
    {
        _socket.SizeReceiveBuffer(settings.ReceiveBufferBytes);
        _socket.SizeSendBuffer(2 * VerdictBuffer.Capacity);
        _socket.TrySet(NoOverrunErrors, 1);
        _socket.TrySet(ShortErrors, 1);

        Span<byte> buffer = stackalloc byte[64];
        var bind = Message(buffer, 1);
        bind.Add(Command, [Bind, 0, 0, 0]);
        Expect(_socket.Ask(bind.End()), "bind");

        // All flags are set, so that a kernel's defaults do not matter; and before packets are let in, or some would come without them.
        var flags = Message(buffer, 2);
        flags.Add(MaxLength, (uint)settings.MaxLength);
        flags.Add(Flags, SegmentationFlag | (settings.FailOpen ? FailOpenFlag : 0));
        flags.Add(FlagMask, EveryFlag);
        Expect(_socket.Ask(flags.End()), "set flags");

        // Not acknowledged: the first packets may be there before the acknowledgement is.
        var copy = new NetlinkMessage(buffer, ConfigMessage, NetlinkMessage.Request);
        copy.AddNetfilterHeader(0, (ushort)Number);
        Span<byte> parameters = stackalloc byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(parameters, CopyRange);
        parameters[4] = CopyPacket;
        copy.Add(Parameters, parameters);
        _socket.Send(copy.End());
    }

    private NetlinkMessage Message(Span<byte> buffer, uint sequence)
    {
        var message = new NetlinkMessage(buffer, ConfigMessage, NetlinkMessage.Request | NetlinkMessage.Acknowledge, sequence);
        message.AddNetfilterHeader(0, (ushort)Number);
        return message;
    }

    private void Expect(int reason, string what)
    {
        if (reason == 0) return;
        throw new NetlinkException(reason switch
        {
            LibC.NotPermitted when !Capabilities.Has(NetAdmin)
                => $"queue {Number}: not permitted; the process needs the capability CAP_NET_ADMIN",
            LibC.NotPermitted or LibC.Busy => $"queue {Number} belongs to another program; give this one another queue, or stop that one",
            LibC.NotSupported => $"queue {Number}: the kernel cannot do what was asked ({what}): it must be Linux 3.10 or newer",
            LibC.InvalidArgument => $"queue {Number}: the kernel has no nfnetlink_queue; load the module (modprobe nfnetlink_queue), or use a kernel with "
                + "CONFIG_NETFILTER_NETLINK_QUEUE",
            _ => $"queue {Number}: {what}: {LibC.Describe(reason)}",
        }, reason);
    }

    private static SafeFileHandle? OpenKernelCounters()
    {
        try
        {
            return File.OpenHandle("/proc/thread-self/net/netfilter/nfnetlink_queue", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
