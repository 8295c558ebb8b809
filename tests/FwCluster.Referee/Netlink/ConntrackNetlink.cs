using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FwCluster.Packets;
using FwCluster.Referee.Lab;
using static Tmds.Linux.LibC;

namespace FwCluster.Referee.Netlink;

/// <summary>Asks ctnetlink of one namespace for its tables, and flushes them: what conntrack(8) does, without starting it.</summary>
public sealed unsafe class ConntrackNetlink : IDisposable
{
    private const int AfNetlink = 16;
    private const int NetlinkNetfilter = 12;
    private const int HeaderBytes = 20; // struct nlmsghdr and struct nfgenmsg
    private const byte SubsystemConntrack = 1;
    private const byte SubsystemExpect = 2;
    private const byte Get = 1;
    private const byte Delete = 2;
    private const ushort Request = 1;
    private const ushort Acknowledge = 4;
    private const ushort Dump = 0x300;
    private const ushort MessageError = 2;
    private const ushort MessageDone = 3;

    private readonly int _handle;
    private readonly byte[] _buffer = new byte[1 << 18];
    private uint _sequence;

    private ConntrackNetlink()
    {
        _handle = socket(AfNetlink, SOCK_RAW | SOCK_CLOEXEC, NetlinkNetfilter);
        if (_handle < 0) throw Failure("socket(NETLINK_NETFILTER)", errno);
    }

    /// <summary>Opens a socket inside a namespace.</summary>
    public static ConntrackNetlink Open(NetworkNamespace where)
    {
        ArgumentNullException.ThrowIfNull(where);
        return where.Run(() => new ConntrackNetlink());
    }

    /// <summary>Removes every connection, and with them every expectation.</summary>
    public void Flush() => Ask(SubsystemConntrack, Delete, Acknowledge, static (_, _) => { });

    /// <summary>All connections.</summary>
    public List<KernelConnection> Connections()
    {
        var connections = new List<KernelConnection>();
        Ask(SubsystemConntrack, Get, Dump, (family, attributes) => connections.Add(ReadConnection(family, attributes)));
        return connections;
    }

    /// <summary>All expectations.</summary>
    public List<KernelExpectation> Expectations()
    {
        var expectations = new List<KernelExpectation>();
        Ask(SubsystemExpect, Get, Dump, (family, attributes) => expectations.Add(ReadExpectation(family, attributes)));
        return expectations;
    }

    /// <inheritdoc/>
    public void Dispose() => _ = close(_handle);

    private delegate void Entry(IpFamily family, NetlinkAttributes attributes);

    private static CommandFailedException Failure(string what, int reason) => new($"{what}: {Marshal.GetPInvokeErrorMessage(reason)}");

    private void Ask(byte subsystem, byte message, ushort flags, Entry entry)
    {
        Span<byte> request = stackalloc byte[HeaderBytes];
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, HeaderBytes);
        request[4] = message;
        request[5] = subsystem;
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], (ushort)(Request | flags));
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], ++_sequence);
        fixed (byte* bytes = request)
        {
            if ((long)send(_handle, bytes, HeaderBytes, 0) < 0) throw Failure("ctnetlink", errno);
        }

        while (true)
        {
            long length;
            fixed (byte* bytes = _buffer) length = (long)recv(_handle, bytes, _buffer.Length, 0);
            if (length < 0 && errno == EINTR) continue;
            if (length < 0) throw Failure("ctnetlink", errno);
            if (Read(_buffer.AsSpan(0, (int)length), entry)) return;
        }
    }

    /// <summary>Reads the messages of one receive; true when the answer is complete.</summary>
    private bool Read(ReadOnlySpan<byte> messages, Entry entry)
    {
        while (messages.Length >= 16)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(messages);
            var type = BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]);
            var ours = BinaryPrimitives.ReadUInt32LittleEndian(messages[8..]) == _sequence;
            var message = messages[..length];
            messages = messages[Math.Min((length + 3) & ~3, messages.Length)..];
            if (!ours) continue;
            if (type == MessageDone) return true;
            if (type == MessageError)
            {
                var reason = -BinaryPrimitives.ReadInt32LittleEndian(message[16..]);
                return reason == 0 ? true : throw Failure("ctnetlink", reason);
            }
            entry((IpFamily)message[16], new NetlinkAttributes(message[HeaderBytes..]));
        }
        return false;
    }

    private static KernelConnection ReadConnection(IpFamily family, NetlinkAttributes attributes)
    {
        var connection = new KernelConnection();
        while (attributes.Next())
        {
            connection = attributes.Type switch
            {
                1 => connection with { Original = ReadTuple(family, attributes.Nested) },
                2 => connection with { Reply = ReadTuple(family, attributes.Nested) },
                3 => connection with { Status = attributes.Double },
                4 => ReadProtocol(connection, attributes.Nested),
                5 => connection with { Helper = ReadText(attributes.Nested, 1) },
                7 => connection with { TimeoutSeconds = attributes.Double },
                8 => connection with { Mark = attributes.Double },
                9 => connection with { OriginalCounters = ReadCounters(attributes.Nested) },
                10 => connection with { ReplyCounters = ReadCounters(attributes.Nested) },
                14 => connection with { Master = ReadTuple(family, attributes.Nested) },
                _ => connection,
            };
        }
        return connection;
    }

    private static KernelExpectation ReadExpectation(IpFamily family, NetlinkAttributes attributes)
    {
        var expectation = new KernelExpectation();
        while (attributes.Next())
        {
            expectation = attributes.Type switch
            {
                1 => expectation with { Master = ReadTuple(family, attributes.Nested) },
                2 => expectation with { Tuple = ReadTuple(family, attributes.Nested) },
                3 => expectation with { Mask = ReadTuple(family, attributes.Nested) },
                4 => expectation with { TimeoutSeconds = attributes.Double },
                6 => expectation with { Helper = attributes.Text },
                8 => expectation with { Flags = attributes.Double },
                9 => expectation with { Class = attributes.Double },
                _ => expectation,
            };
        }
        return expectation;
    }

    private static KernelConnection ReadProtocol(KernelConnection connection, NetlinkAttributes protocols)
    {
        const int tcp = 1;
        while (protocols.Next())
        {
            if (protocols.Type != tcp) continue;
            var fields = protocols.Nested;
            while (fields.Next())
            {
                connection = fields.Type switch
                {
                    1 => connection with { TcpState = fields.Byte },
                    2 => connection with { OriginalTcp = (fields.Byte, connection.OriginalTcp.Flags) },
                    3 => connection with { ReplyTcp = (fields.Byte, connection.ReplyTcp.Flags) },
                    4 => connection with { OriginalTcp = (connection.OriginalTcp.Scale, fields.Byte) },
                    5 => connection with { ReplyTcp = (connection.ReplyTcp.Scale, fields.Byte) },
                    _ => connection,
                };
            }
        }
        return connection;
    }

    private static (ulong Packets, ulong Bytes) ReadCounters(NetlinkAttributes attributes)
    {
        (ulong Packets, ulong Bytes) counters = default;
        while (attributes.Next())
        {
            if (attributes.Type == 1) counters.Packets = attributes.Quad;
            if (attributes.Type == 2) counters.Bytes = attributes.Quad;
        }
        return counters;
    }

    private static string? ReadText(NetlinkAttributes attributes, int type)
    {
        while (attributes.Next())
        {
            if (attributes.Type == type) return attributes.Text;
        }
        return null;
    }

    private static FlowTuple ReadTuple(IpFamily family, NetlinkAttributes attributes)
    {
        var tuple = new FlowTuple { Family = family };
        while (attributes.Next())
        {
            if (attributes.Type == 1) ReadAddresses(ref tuple, attributes.Nested);
            if (attributes.Type == 2) ReadPorts(ref tuple, attributes.Nested);
        }
        return tuple;
    }

    private static void ReadAddresses(ref FlowTuple tuple, NetlinkAttributes attributes)
    {
        while (attributes.Next())
        {
            if (attributes.Type == 1) tuple.Source = IpAddress.ReadIPv4(attributes.Content);
            if (attributes.Type == 2) tuple.Destination = IpAddress.ReadIPv4(attributes.Content);
            if (attributes.Type == 3) tuple.Source = IpAddress.ReadIPv6(attributes.Content);
            if (attributes.Type == 4) tuple.Destination = IpAddress.ReadIPv6(attributes.Content);
        }
    }

    private static void ReadPorts(ref FlowTuple tuple, NetlinkAttributes attributes)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case 1:
                    tuple.Protocol = attributes.Byte;
                    break;
                case 2 or 4 or 7: // source port, or the identifier of either ICMP
                    tuple.SourcePort = attributes.Word;
                    break;
                case 3:
                    tuple.DestinationPort = attributes.Word;
                    break;
                case 5 or 8:
                    tuple.DestinationPort = (ushort)(tuple.DestinationPort & 0xff | attributes.Byte << 8);
                    break;
                case 6 or 9:
                    tuple.DestinationPort = (ushort)(tuple.DestinationPort & 0xff00 | attributes.Byte);
                    break;
            }
        }
    }
}
