using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FwCluster.Capture.Netlink;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Queue;

/// <summary>
/// The names and Ethernet addresses of the network interfaces by their index, in the network namespace of the thread that opens it. Follows interfaces that come,
/// go and are renamed, by the kernel's notifications (rtnetlink). Any thread may ask, without a lock and without allocation.
/// </summary>
public sealed unsafe class InterfaceNames : IDisposable
{
    private const ushort NewLink = 16;
    private const ushort DeleteLink = 17;
    private const ushort GetLink = 18;
    private const int LinkGroup = 1;
    private const int LinkHeaderBytes = 16; // struct ifinfomsg
    private const ushort AddressAttribute = 1; // IFLA_ADDRESS
    private const ushort NameAttribute = 3; // IFLA_IFNAME
    private const ushort Ethernet = 1; // ARPHRD_ETHER
    private const int EthernetAddressBytes = 6;

    private readonly NetlinkSocket _socket = new(NetlinkSocket.Route);
    private readonly NetlinkSocket _asking = new(NetlinkSocket.Route);
    private readonly WakeEvent _wake = new();
    private readonly byte[] _buffer = new byte[1 << 18];
    private readonly Thread _thread;
    private Dictionary<int, Known> _names = [];
    private volatile bool _stopping;
    private uint _sequence;

    private InterfaceNames()
    {
        try
        {
            _socket.SizeReceiveBuffer(1 << 20);
            _socket.Join(LinkGroup, "changes of network interfaces");
            ReadAll();
        }
        catch
        {
            _socket.Dispose();
            _asking.Dispose();
            _wake.Dispose();
            throw;
        }
        _thread = new Thread(Listen) { IsBackground = true, Name = "interface names" };
        _thread.Start();
    }

    /// <summary>Interfaces that are known.</summary>
    public int Count => Volatile.Read(ref _names).Count;

    /// <summary>The name of the interface with this index; empty for 0 and where there is none. An interface that has come since the last
    /// notification is asked for.</summary>
    public InterfaceName this[int index] => Find(index, out _);

    /// <summary>The name of the interface with this index, and its Ethernet address.</summary>
    /// <param name="index">The index; 0 for none.</param>
    /// <param name="mac">The address in the low 48 bits; null where the interface is not Ethernet, or so new that only its name is known.</param>
    public InterfaceName Find(int index, out ulong? mac)
    {
        mac = null;
        if (index == 0) return default;
        if (!Volatile.Read(ref _names).TryGetValue(index, out var known)) return Ask(index);
        mac = known.Mac;
        return known.Name;
    }

    /// <summary>Reads the interfaces and listens for changes.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static InterfaceNames Open() => new();

    /// <summary>Stops listening; the last names remain.</summary>
    public void Dispose()
    {
        if (_stopping) return;
        _stopping = true;
        _wake.Set();
        _thread.Join();
        _socket.Dispose();
        _asking.Dispose();
        _wake.Dispose();
    }

    /// <summary>Asks the kernel for one name (SIOCGIFNAME).</summary>
    private InterfaceName Ask(int index)
    {
        if (_stopping) return default;
        // struct ifreq: 16 bytes of name, then a union that begins with the index.
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        *(int*)(request + 16) = index;
        return LibC.Control(_asking.Handle, LibC.GetInterfaceName, request) == 0
            ? new InterfaceName(BinaryPrimitives.ReadUInt128LittleEndian(new ReadOnlySpan<byte>(request, 16)))
            : default;
    }

    private void Listen()
    {
        while (!_stopping)
        {
            if (!_socket.Wait(_wake, -1, out _)) continue;
            var received = _socket.Receive(_buffer, wait: false);
            if (received < 0)
            {
                // Notifications were lost: start over.
                if (-received == LibC.NoBuffers) ReadAll();
                continue;
            }
            var names = new Dictionary<int, Known>(_names);
            Apply(_buffer.AsSpan(0, received), names, 0, out _, out _);
            Volatile.Write(ref _names, names);
        }
    }

    /// <summary>Asks for all interfaces, and takes notifications that come in between.</summary>
    private void ReadAll()
    {
        Span<byte> request = stackalloc byte[NetlinkMessage.HeaderBytes + LinkHeaderBytes];
        while (true)
        {
            var names = new Dictionary<int, Known>();
            var message = new NetlinkMessage(request, GetLink, NetlinkMessage.Request | NetlinkMessage.Dump, ++_sequence);
            message.AddZeros(LinkHeaderBytes);
            _socket.Send(message.End());
            var done = false;
            var interrupted = false;
            while (!done)
            {
                var received = _socket.Receive(_buffer, wait: true);
                if (received == -LibC.NoBuffers) interrupted = true;
                else if (received < 0) throw new NetlinkException($"network interfaces: {LibC.Describe(-received)}", -received);
                else
                {
                    Apply(_buffer.AsSpan(0, received), names, _sequence, out done, out var changed);
                    interrupted |= changed;
                }
            }
            if (interrupted) continue;
            Volatile.Write(ref _names, names);
            return;
        }
    }

    private static void Apply(Span<byte> messages, Dictionary<int, Known> names, uint dump, out bool done, out bool interrupted)
    {
        done = interrupted = false;
        while (messages.Length >= NetlinkMessage.HeaderBytes)
        {
            var length = MemoryMarshal.Read<int>(messages);
            if (length < NetlinkMessage.HeaderBytes || length > messages.Length) return;
            var message = messages[..length];
            messages = messages[Math.Min((length + 3) & ~3, messages.Length)..];
            var type = MemoryMarshal.Read<ushort>(message[4..]);
            if (dump != 0 && MemoryMarshal.Read<uint>(message[8..]) == dump)
            {
                interrupted |= (MemoryMarshal.Read<ushort>(message[6..]) & NetlinkMessage.DumpInterrupted) != 0;
                done |= type is NetlinkMessage.Done or NetlinkMessage.Error;
            }
            if (type is NewLink or DeleteLink) Apply(message[NetlinkMessage.HeaderBytes..], type == NewLink, names);
        }
    }

    private static void Apply(Span<byte> link, bool isNew, Dictionary<int, Known> names)
    {
        // A family other than 0 is news of a bridge's port, not of the interface.
        if (link.Length < LinkHeaderBytes || link[0] != 0) return;
        var index = MemoryMarshal.Read<int>(link[4..]);
        if (!isNew)
        {
            names.Remove(index);
            return;
        }
        var isEthernet = MemoryMarshal.Read<ushort>(link[2..]) == Ethernet;
        Span<byte> name = stackalloc byte[16];
        name.Clear();
        ulong? mac = null;
        var attributes = new NetlinkAttributes(link[LinkHeaderBytes..]);
        while (attributes.Next())
        {
            var value = attributes.Value;
            if (attributes.Type == NameAttribute) value[..Math.Min(value.Length, InterfaceName.MaxLength)].CopyTo(name);
            else if (attributes.Type == AddressAttribute && isEthernet && value.Length == EthernetAddressBytes)
                mac = (ulong)BinaryPrimitives.ReadUInt16BigEndian(value) << 32 | BinaryPrimitives.ReadUInt32BigEndian(value[2..]);
        }
        if (name[0] != 0) names[index] = new Known(new InterfaceName(BinaryPrimitives.ReadUInt128LittleEndian(name)), mac);
    }

    private readonly record struct Known(InterfaceName Name, ulong? Mac);
}
