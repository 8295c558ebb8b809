using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Benchmarks;

/// <summary>Packets in memory, one behind the other, as a capture port would hand them to a worker.</summary>
public sealed class Traffic
{
    private const uint ServerAddress = 0x0ad33714;

    /// <summary>The server: 10.211.55.20.</summary>
    public static readonly IpAddress Server = new(0, ServerAddress);

    private readonly byte[] _bytes;
    private readonly int[] _offsets;
    private int _count;
    private int _end;

    private Traffic(int packets, int packetBytes)
    {
        _bytes = new byte[packets * packetBytes];
        _offsets = new int[packets + 1];
    }

    /// <summary>Packets.</summary>
    public int Count => _count;

    /// <summary>Whether a packet goes to the server.</summary>
    public bool IsToServer(int index) => BinaryPrimitives.ReadUInt32BigEndian(this[index][16..]) == ServerAddress;

        /// <summary>The bytes of one packet, from the IP header on.</summary>
    public ReadOnlySpan<byte> this[int index] => _bytes.AsSpan(_offsets[index], _offsets[index + 1] - _offsets[index]);

    /// <summary>The handshakes of established TCP connections to a server's port 21, three packets each.</summary>
    public static Traffic Handshakes(int connections)
    {
        var traffic = new Traffic(connections * 3, 40);
        for (var i = 0; i < connections; i++)
        {
            traffic.AddSegment(i, toServer: true, 999, 0, TcpFlags.Syn, 0);
            traffic.AddSegment(i, toServer: false, 1999, 1000, TcpFlags.Syn | TcpFlags.Ack, 0);
            traffic.AddSegment(i, toServer: true, 1000, 2000, TcpFlags.Ack, 0);
        }
        return traffic;
    }

    /// <summary>The SYNs of connections, from number <paramref name="first"/> on.</summary>
    public static Traffic Opening(int first, int connections)
    {
        var traffic = new Traffic(connections, 40);
        for (var i = first; i < first + connections; i++) traffic.AddSegment(i, toServer: true, 999, 0, TcpFlags.Syn, 0);
        return traffic;
    }

    /// <summary>Acknowledgments and data of established connections, both ways in turn, the connections one after another.</summary>
    public static Traffic Established(int connections, int payload)
    {
        var traffic = new Traffic(connections * 2, 40 + payload);
        for (var i = 0; i < connections; i++)
        {
            traffic.AddSegment(i, toServer: true, 1000, 2000, TcpFlags.Ack | TcpFlags.Psh, payload);
            traffic.AddSegment(i, toServer: false, 2000, 1000 + (uint)payload, TcpFlags.Ack, 0);
        }
        return traffic;
    }

    /// <summary>Whole short connections of 8 packets: open, a request, an answer, close; <paramref name="interleave"/> of them at a
    /// time.</summary>
    public static Traffic Short(int connections, int interleave)
    {
        var traffic = new Traffic(connections * 8, 140);
        for (var first = 0; first < connections; first += interleave)
            for (var step = 0; step < 8; step++)
                for (var i = first; i < Math.Min(first + interleave, connections); i++)
                    traffic.AddStep(i, step);
        return traffic;
    }

    private void AddStep(int connection, int step)
    {
        switch (step)
        {
            case 0: AddSegment(connection, true, 999, 0, TcpFlags.Syn, 0); break;
            case 1: AddSegment(connection, false, 1999, 1000, TcpFlags.Syn | TcpFlags.Ack, 0); break;
            case 2: AddSegment(connection, true, 1000, 2000, TcpFlags.Ack, 0); break;
            case 3: AddSegment(connection, true, 1000, 2000, TcpFlags.Ack | TcpFlags.Psh, 100); break;
            case 4: AddSegment(connection, false, 2000, 1100, TcpFlags.Ack | TcpFlags.Psh, 100); break;
            case 5: AddSegment(connection, true, 1100, 2100, TcpFlags.Fin | TcpFlags.Ack, 0); break;
            case 6: AddSegment(connection, false, 2100, 1101, TcpFlags.Fin | TcpFlags.Ack, 0); break;
            default: AddSegment(connection, true, 1101, 2101, TcpFlags.Ack, 0); break;
        }
    }

    private void AddSegment(int connection, bool toServer, uint sequence, uint acknowledgment, TcpFlags flags, int payload)
    {
        // 60,000 ports an address, so that addresses and ports both vary.
        var client = 0x0a000001u + (uint)(connection / 60_000);
        var port = (ushort)(1024 + connection % 60_000);
        var packet = _bytes.AsSpan(_end, 40 + payload);
        packet.Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        packet[8] = 64;
        packet[9] = IpProtocol.Tcp;
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], toServer ? client : ServerAddress);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], toServer ? ServerAddress : client);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~Checksum.Sum(packet[..20]));
        BinaryPrimitives.WriteUInt16BigEndian(packet[20..], toServer ? port : (ushort)21);
        BinaryPrimitives.WriteUInt16BigEndian(packet[22..], toServer ? (ushort)21 : port);
        BinaryPrimitives.WriteUInt32BigEndian(packet[24..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet[28..], acknowledgment);
        packet[32] = 5 << 4;
        packet[33] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(packet[34..], 65_000);
        _end += packet.Length;
        _offsets[++_count] = _end;
    }
}
