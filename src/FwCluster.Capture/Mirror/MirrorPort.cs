using System.Buffers;
using System.Collections.Concurrent;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FwCluster.Capture.Mirror;

/// <summary>
/// Copies of the packets of one or more interfaces, by libpcap: promiscuous, with a buffer in the kernel for each. For a mirror (SPAN) port, or to
/// try rules before they bite. The library reads each interface on a thread of its own; the packets meet in one bounded queue, from which one
/// thread takes them. What does not fit is counted and lost, as in the kernel's buffer. Needs CAP_NET_RAW.
/// </summary>
public sealed class MirrorPort : IDisposable
{
    /// <summary>The name that stands for every interface.</summary>
    public const string Any = "any";

    private const int QueuedPackets = 8192;

    private readonly BlockingCollection<MirroredPacket> _queue = new(QueuedPackets);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<LibPcapLiveDevice> _devices = [];
    private readonly List<PcapCounters> _counters = [];
    private readonly Lock _gate = new();
    private long _overruns;
    private long _received;
    private long _kernelDrops;
    private bool _isClosed;

    private MirrorPort()
    {
    }

    /// <summary>Packets taken from the kernel. Any thread may ask.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Packets of these that were lost because this port's own queue was full. Any thread may ask.</summary>
    public long Overruns => Interlocked.Read(ref _overruns);

    /// <summary>Packets that the kernel lost because an interface's buffer was full. Any thread may ask.</summary>
    public long KernelDrops
    {
        get
        {
            lock (_gate) // libpcap adds up what the kernel has counted since it was last asked
            {
                if (!_isClosed) _kernelDrops = _counters.Sum(c => c.Dropped);
                return _kernelDrops;
            }
        }
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="interfaces">Names of interfaces, or <see cref="Any"/> alone.</param>
    /// <param name="bufferBytes">Each interface's buffer in the kernel.</param>
    /// <exception cref="MirrorException">An interface is not there, or the process may not listen.</exception>
    public static MirrorPort Open(IReadOnlyList<string> interfaces, int bufferBytes)
    {
        ArgumentNullException.ThrowIfNull(interfaces);
        var port = new MirrorPort();
        try
        {
            foreach (var name in interfaces)
            {
                var device = Open(name, bufferBytes);
                port._devices.Add(device);
                port._counters.Add(new PcapCounters(device.Handle));
                var link = (LinkType)(int)device.LinkType;
                var from = name == Any ? default : InterfaceName.From(name);
                device.OnPacketArrival += (_, capture) => port.Take(capture, link, from);
            }
            foreach (var device in port._devices) device.StartCapture();
            return port;
        }
        catch
        {
            port.Dispose();
            throw;
        }
    }

    /// <summary>Takes the next packet.</summary>
    /// <param name="milliseconds">The longest wait; 0 for none.</param>
    /// <param name="packet">The packet; its bytes go back with <see cref="Return"/>.</param>
    /// <returns>False where none came, or somebody woke the port.</returns>
    public bool TryNext(int milliseconds, out MirroredPacket packet) => _queue.TryTake(out packet, milliseconds) && !IsWake(packet);

    /// <summary>Ends the wait of <see cref="TryNext"/>, or the next one. Any thread.</summary>
    public void Wake()
    {
        if (_closing.IsCancellationRequested) return;
        try
        {
            _queue.TryAdd(default); // where there is no room nobody waits
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    /// <summary>Gives a packet's bytes back.</summary>
    public static void Return(in MirroredPacket packet) => ArrayPool<byte>.Shared.Return(packet.Buffer);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_closing.IsCancellationRequested) return;
        _closing.Cancel();
        lock (_gate)
        {
            _isClosed = true;
            foreach (var device in _devices) device.Dispose(); // ends its thread
        }
        while (_queue.TryTake(out var packet))
            if (!IsWake(packet)) Return(packet);
        _queue.Dispose();
        _closing.Dispose();
    }

    private static bool IsWake(in MirroredPacket packet) => packet.Buffer is null;

    private void Take(PacketCapture capture, LinkType link, InterfaceName from)
    {
        Interlocked.Increment(ref _received);
        var time = capture.Header.Timeval;
        var buffer = ArrayPool<byte>.Shared.Rent(capture.Data.Length);
        capture.Data.CopyTo(buffer);
        var packet = new MirroredPacket
        {
            Interface = from,
            Link = link,
            Buffer = buffer,
            Length = capture.Data.Length,
            WireLength = (int)((PcapHeader)capture.Header).PacketLength,
            Time = (long)(time.Seconds * 1_000_000_000L + time.MicroSeconds * 1_000L),
        };
        if (!_closing.IsCancellationRequested && _queue.TryAdd(packet)) return;
        Interlocked.Increment(ref _overruns);
        Return(packet);
    }

    private static LibPcapLiveDevice Open(string name, int bufferBytes)
    {
        LibPcapLiveDevice? device = null;
        try
        {
            device = LibPcapLiveDeviceList.New().FirstOrDefault(d => d.Name == name)
                ?? throw new MirrorException($"there is no interface \"{name}\" to listen on; {Any} listens on all of them");
            device.Open(new DeviceConfiguration
            {
                Mode = name == Any ? DeviceModes.None : DeviceModes.Promiscuous,
                BufferSize = bufferBytes,
                Snaplen = 262_144,
                ReadTimeout = 20,
            });
            if (!LinkLayer.IsSupported((LinkType)(int)device.LinkType))
                throw new MirrorException($"interface \"{name}\" has link type {device.LinkType}, which is not read");
            return device;
        }
        catch (Exception e) when (e is PcapException or DllNotFoundException)
        {
            device?.Dispose();
            throw new MirrorException($"cannot listen on \"{name}\": {e.Message} (libpcap and CAP_NET_RAW are needed)", e);
        }
    }
}
