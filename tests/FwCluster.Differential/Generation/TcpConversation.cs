using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>
/// A plausible TCP connection between two hosts, so that tracking gets into its deep states, with each segment perturbed now and
/// then: numbers around the edges of windows, senseless flags, repeated and late segments.
/// </summary>
internal sealed class TcpConversation
{
    private const int MaxAckWindow = 66000; // what the kernel allows an acknowledgment to lag (MAXACKWINDOW)
    private readonly Scene _scene;
    private readonly PacketAddresses _addresses;
    private readonly ushort _clientPort;
    private readonly ushort _serverPort;
    private readonly int _oddity;
    private readonly List<byte[]> _history = [];

    /// <param name="scene">Where it plays.</param>
    /// <param name="addresses">From the client to the server.</param>
    /// <param name="clientPort">The client's port.</param>
    /// <param name="serverPort">The server's port.</param>
    /// <param name="oddity">One segment in so many is perturbed.</param>
    public TcpConversation(Scene scene, PacketAddresses addresses, ushort clientPort, ushort serverPort, int oddity)
    {
        (_scene, _addresses, _clientPort, _serverPort, _oddity) = (scene, addresses, clientPort, serverPort, oddity);
        Client.IsClient = true;
        Client.Other = Server;
        Server.Other = Client;
    }

    public TcpSide Client { get; } = new();

    public TcpSide Server { get; } = new();

    private Random Random => _scene.Random;

    /// <summary>A whole life, or two, in the same tuple.</summary>
    public IEnumerable<byte[]> Live(int steps)
    {
        foreach (var packet in Open()) yield return packet;
        for (var step = 0; step < steps; step++)
        {
            foreach (var packet in Step()) yield return packet;
        }
    }

    /// <summary>A handshake: regular, repeated, simultaneous, half, or none at all.</summary>
    public IEnumerable<byte[]> Open()
    {
        Restart();
        switch (Random.Next(12))
        {
            case 0: // picked up in the middle
                Negotiate(false);
                break;
            case 1: // both open at once
                yield return Segment(Client, TcpFlags.Syn, options: Offer(Client));
                yield return Segment(Server, TcpFlags.Syn, options: Offer(Server));
                Negotiate(true);
                Consume(1);
                var order = _scene.Once(2) ? Client : Server;
                yield return Segment(order, TcpFlags.Syn | TcpFlags.Ack, sequence: order.Next - 1, options: _scene.Once(2) ? Offer(order) : []);
                yield return Segment(order.Other, TcpFlags.Syn | TcpFlags.Ack, sequence: order.Other.Next - 1);
                break;
            case 2: // the SYN was not seen
                Offer(Client);
                Client.Next++;
                Server.Received = Client.Next;
                yield return Segment(Server, TcpFlags.Syn | TcpFlags.Ack, options: Offer(Server));
                Server.Next++;
                Client.Received = Server.Next;
                Negotiate(true);
                yield return Segment(Client, TcpFlags.Ack);
                break;
            case 3: // the answer was not seen
                yield return Segment(Client, TcpFlags.Syn, options: Offer(Client));
                Consume(1);
                Negotiate(false);
                yield return Segment(Client, TcpFlags.Ack);
                break;
            case 4: // refused
                yield return Segment(Client, TcpFlags.Syn, options: Offer(Client));
                Client.Next++;
                Server.Received = Client.Next;
                yield return Segment(Server, TcpFlags.Rst | TcpFlags.Ack, sequence: 0);
                break;
            case 5: // a SYN with another number before the right one
                yield return Segment(Client, TcpFlags.Syn, options: Offer(Client));
                Client.Next = _scene.AnyNumber();
                foreach (var packet in Handshake()) yield return packet;
                break;
            case 6: // data with the SYN
                yield return Segment(Client, TcpFlags.Syn, length: Random.Next(100), options: Offer(Client));
                foreach (var packet in Handshake()) yield return packet;
                break;
            default:
                foreach (var packet in Handshake()) yield return packet;
                break;
        }
    }

    /// <summary>The regular three segments, each perhaps repeated.</summary>
    public IEnumerable<byte[]> Handshake(bool odd = true)
    {
        var options = Offer(Client);
        do yield return Segment(Client, TcpFlags.Syn | (_scene.Once(10) ? TcpFlags.Ece | TcpFlags.Cwr : 0), options: options, odd: odd);
        while (odd && _scene.Once(6));
        Client.Next++;
        Server.Received = Client.Next;
        options = Offer(Server);
        do yield return Segment(Server, TcpFlags.Syn | TcpFlags.Ack, options: options, odd: odd);
        while (odd && _scene.Once(6));
        Server.Next++;
        Client.Received = Server.Next;
        Negotiate(true);
        yield return Segment(Client, TcpFlags.Ack, odd: odd);
    }

    /// <summary>A client that gives up and comes again from the same port: tracking forgets the old connection, and all that hung on it.</summary>
    public IEnumerable<byte[]> AbortAndOpenAgain()
    {
        yield return Segment(Client, TcpFlags.Rst, odd: false);
        if (_scene.Once(3)) yield break;
        Restart();
        foreach (var packet in Handshake(odd: _scene.Once(4))) yield return packet;
    }

    /// <summary>Says something on the connection, cut into segments at random, some repeated or overlapping.</summary>
    public IEnumerable<byte[]> Say(TcpSide side, byte[] text)
    {
        var start = side.Next;
        var cuts = new SortedSet<int> { 0, text.Length };
        if (_scene.Once(3)) cuts.Add(Random.Next(text.Length + 1));
        if (_scene.Once(6)) cuts.Add(Random.Next(text.Length + 1));
        var edges = cuts.ToArray();
        for (var i = 0; i + 1 < edges.Length; i++)
        {
            // Now and then from earlier on, over what was sent before.
            var from = _scene.Once(12) ? Random.Next(edges[i] + 1) : edges[i];
            var piece = text[from..edges[i + 1]];
            var sequence = start + (uint)from;
            side.Next = start + (uint)edges[i + 1];
            yield return Segment(side, TcpFlags.Ack | TcpFlags.Psh, sequence: sequence, payload: piece, odd: _scene.Once(8));
            if (_scene.Once(12)) yield return Segment(side, TcpFlags.Ack | TcpFlags.Psh, sequence: sequence, payload: piece, odd: false);
            side.Other.Received = side.Next;
            if (_scene.Once(2)) yield return Segment(side.Other, TcpFlags.Ack, odd: _scene.Once(8));
        }
    }

    /// <summary>Something that happens on a connection.</summary>
    public IEnumerable<byte[]> Step()
    {
        var side = _scene.Once(2) ? Client : Server;
        switch (Random.Next(26))
        {
            case < 7: // data, and perhaps its acknowledgment
                var length = _scene.Pick(1, 10, 536, 1460, Random.Next(1, 3000));
                yield return Segment(side, TcpFlags.Ack | (_scene.Once(2) ? TcpFlags.Psh : 0), length: length);
                side.Next += (uint)length;
                if (_scene.Once(5)) break;
                side.Other.Received = side.Next;
                yield return Segment(side.Other, TcpFlags.Ack);
                break;
            case < 9:
                side.Window = _scene.Pick<ushort>(0, 1, 100, 1000, 8192, 65535, (ushort)Random.Next(65536));
                yield return Segment(side, TcpFlags.Ack);
                break;
            case 9: // filling the window to its edge, or over it
                var room = (int)(side.Other.Edge - side.Next);
                if (room is <= 0 or > 3000) room = Random.Next(1, 1461);
                room = Math.Max(1, room + Random.Next(-1, 3));
                yield return Segment(side, TcpFlags.Ack, length: room);
                side.Next += (uint)room;
                break;
            case 10: // a loss, told by SACK
                var lost = Random.Next(1, 1461);
                var after = Random.Next(1, 1461);
                yield return Segment(side, TcpFlags.Ack, sequence: side.Next + (uint)lost, length: after);
                var left = side.Next + (uint)lost;
                yield return Segment(side.Other, TcpFlags.Ack, options: Sack((left, left + (uint)after), _scene.Once(4) ? (_scene.AnyNumber(), _scene.AnyNumber()) : null));
                yield return Segment(side, TcpFlags.Ack, length: lost);
                side.Next = left + (uint)after;
                side.Other.Received = side.Next;
                yield return Segment(side.Other, TcpFlags.Ack);
                break;
            case 11 or 12 when _history.Count > 0: // something again
                for (var times = _scene.Pick(1, 1, 2, 5); times > 0; times--) yield return Again();
                break;
            case 13: // keep-alive
                yield return Segment(side, TcpFlags.Ack, sequence: side.Next - 1, length: Random.Next(2));
                break;
            case 14 or 15: // half or whole close
                yield return Segment(side, TcpFlags.Fin | TcpFlags.Ack);
                side.Next++;
                if (_scene.Once(4)) break;
                side.Other.Received = side.Next;
                yield return Segment(side.Other, TcpFlags.Ack);
                if (_scene.Once(3)) break;
                yield return Segment(side.Other, TcpFlags.Fin | TcpFlags.Ack);
                side.Other.Next++;
                side.Received = side.Other.Next;
                if (_scene.Once(4)) break;
                yield return Segment(side, TcpFlags.Ack);
                break;
            case 16 or 17: // reset, with the right number or another one
                yield return Segment(side, TcpFlags.Rst | (_scene.Once(2) ? TcpFlags.Ack : 0),
                    sequence: _scene.Pick(side.Next, side.Next, side.Other.Received, side.Other.Received + 1, side.Next - 1, side.Next + 100,
                        side.Other.Edge, side.Other.Edge + 1, 0u, _scene.AnyNumber()));
                break;
            case 18: // a SYN into it, answered by a challenge
                var options = Offer(side);
                yield return Segment(side, TcpFlags.Syn, sequence: _scene.Pick(_scene.AnyNumber(), side.Next, side.Next - 1), options: options);
                if (_scene.Once(4)) break;
                yield return Segment(side.Other, TcpFlags.Ack);
                if (_scene.Once(3)) break;
                yield return Segment(side, TcpFlags.Rst, sequence: side.Other.Received);
                break;
            case 19: // a SYN/ACK into it
                yield return Segment(side, TcpFlags.Syn | TcpFlags.Ack, sequence: _scene.Pick(_scene.AnyNumber(), side.Next - 1, side.Next), options: Offer(side));
                break;
            case 20 or 21: // the same tuple opened again
                var next = _scene.Pick(Client.Next + (uint)Random.Next(1, 100000), Client.Next, _scene.AnyNumber());
                Restart();
                Client.Next = next;
                foreach (var packet in _scene.Once(4) ? Open() : Handshake()) yield return packet;
                break;
            case 22: // opened again the other way round
                Restart();
                yield return Segment(Server, TcpFlags.Syn, options: Offer(Server));
                Server.Next++;
                Client.Received = Server.Next;
                yield return Segment(Client, TcpFlags.Syn | TcpFlags.Ack, options: Offer(Client));
                Client.Next++;
                Server.Received = Client.Next;
                Negotiate(true);
                yield return Segment(Server, TcpFlags.Ack);
                break;
            case 23: // any flags at all
                yield return Segment(side, (TcpFlags)Random.Next(256), length: _scene.Pick(0, 0, 10));
                break;
            case 24: // data without acknowledgment for a while
                for (var times = Random.Next(2, 6); times > 0; times--)
                {
                    yield return Segment(side, TcpFlags.Ack, length: 100);
                    side.Next += 100;
                }
                break;
            default:
                yield return Segment(side, TcpFlags.Ack);
                break;
        }
    }

    /// <summary>A segment of this connection, perturbed now and then.</summary>
    public byte[] Segment(TcpSide side, TcpFlags flags, uint? sequence = null, int length = 0, byte[]? options = null, byte[]? payload = null, bool odd = true)
    {
        var seq = sequence ?? side.Next;
        var ack = (flags & TcpFlags.Ack) != 0 ? side.Received : 0;
        var window = side.Window;
        if (odd && _scene.Once(_oddity)) Perturb(side, ref flags, ref seq, ref ack, ref window, ref length);
        options ??= AnyOptions(odd);
        payload ??= length <= 0 ? [] : new byte[Math.Min(length, 4000)];
        var packet = PacketBuilder.Tcp(side.IsClient ? _addresses : _addresses.Reversed, side.IsClient ? _clientPort : _serverPort,
            side.IsClient ? _serverPort : _clientPort, flags, seq, ack, window, options, payload);
        if ((flags & TcpFlags.Ack) != 0)
        {
            var edge = ack + ((flags & TcpFlags.Syn) != 0 ? window : (uint)window << side.Scale);
            if ((int)(edge - side.Edge) > 0) side.Edge = edge;
        }
        _history.Add(packet);
        return packet;
    }

    private byte[] Again() => _history[^Random.Next(1, Math.Min(_history.Count, 8) + 1)];

    private void Perturb(TcpSide side, ref TcpFlags flags, ref uint seq, ref uint ack, ref ushort window, ref int length)
    {
        switch (Random.Next(10))
        {
            case < 3:
                seq += Delta(side);
                break;
            case 3: // around the edge of what the other allows
                seq = side.Other.Edge - (uint)length + (uint)Random.Next(-2, 3);
                break;
            case < 6:
                ack += Delta(side.Other);
                break;
            case 6: // around the oldest acknowledgment that is let through
                ack = side.Other.Next - MaxAckWindow + (uint)Random.Next(-2, 3);
                break;
            case 7:
                window = (ushort)Random.Next(65536);
                break;
            case 8:
                flags ^= (TcpFlags)(1 << Random.Next(8));
                break;
            default:
                length = Random.Next(0, 3000);
                break;
        }
    }

    private uint Delta(TcpSide side)
    {
        var window = (int)Math.Min((long)side.Other.Window << side.Other.Scale, int.MaxValue / 4);
        var delta = Random.Next(9) switch
        {
            0 => 1,
            1 => -1,
            2 => Random.Next(-3, 4),
            3 => Random.Next(-3000, 3000),
            4 => window + Random.Next(-2, 3),
            5 => -window + Random.Next(-2, 3),
            6 => MaxAckWindow + Random.Next(-2, 3),
            7 => -MaxAckWindow + Random.Next(-2, 3),
            _ => Random.Next(int.MinValue, int.MaxValue),
        };
        return (uint)delta;
    }

    private void Restart()
    {
        foreach (var side in (TcpSide[])[Client, Server])
        {
            side.Next = _scene.AnyNumber();
            side.Window = _scene.Pick<ushort>(65535, 65535, 29200, 5840, 512, 1, 0);
            side.Offered = -1;
            side.Scale = 0;
            side.Edge = 0;
        }
        Client.Received = Server.Next;
        Server.Received = Client.Next;
        Client.Edge = Client.Received;
        Server.Edge = Server.Received;
    }

    private void Consume(uint count)
    {
        Client.Next += count;
        Server.Next += count;
        Client.Received = Server.Next;
        Server.Received = Client.Next;
    }

    private void Negotiate(bool seen)
    {
        var both = seen && Client.Offered >= 0 && Server.Offered >= 0;
        Client.Scale = both ? Math.Min(Client.Offered, 14) : 0;
        Server.Scale = both ? Math.Min(Server.Offered, 14) : 0;
    }

    private byte[] Offer(TcpSide side)
    {
        side.Offered = -1;
        var options = new TcpOptionBuilder();
        if (_scene.Once(2)) options.MaximumSegmentSize(1460);
        if (_scene.Once(2)) options.SackPermitted();
        if (_scene.Once(4)) options.Timestamps(1, 0);
        if (!_scene.Once(3))
        {
            side.Offered = _scene.Pick(0, 1, 2, 7, 7, 8, 14, 15, 255);
            options.NoOperation().WindowScale((byte)side.Offered);
        }
        // Lies about lengths: a walk over options must end well.
        if (_scene.Once(20)) options.Raw(_scene.Pick<byte>(3, 4, 5, 8, 77), _scene.Pick<byte>(0, 1, 2, 3, 40));
        return options.ToArray();
    }

    private byte[] AnyOptions(bool odd)
    {
        if (_scene.Once(4)) return new TcpOptionBuilder().NoOperation().NoOperation().Timestamps(2, 1).ToArray();
        if (!odd || !_scene.Once(12)) return [];
        return _scene.Once(3)
            ? new TcpOptionBuilder().Raw(_scene.Pick<byte>(3, 4, 5, 8, 77), _scene.Pick<byte>(0, 1, 2, 3, 9, 10, 40), 7, 0).ToArray()
            : Sack((_scene.AnyNumber(), _scene.AnyNumber()), null);
    }

    private byte[] Sack((uint, uint) block, (uint, uint)? another)
    {
        var options = new TcpOptionBuilder();
        if (_scene.Once(3)) options.NoOperation().NoOperation().Timestamps(3, 2);
        if (_scene.Once(2)) options.NoOperation().NoOperation();
        return (another is { } second ? options.Sack(block, second) : options.Sack(block)).ToArray();
    }
}
