using FwCluster.Packets;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Tests.Generation;

namespace FwCluster.Rules.Tests.Differential;

/// <summary>Writes packets out of the world that generated rules speak of, some of them answers to earlier ones, some cut off.</summary>
/// <param name="draw">Chance.</param>
internal sealed class PacketGenerator(Draw draw)
{
    private static readonly byte[] Payload = new byte[2000];

    private readonly List<Func<byte[]>> _answers = [];

    /// <summary>Some packets, in the order in which they are sent.</summary>
    public List<byte[]> Some(int count) => [.. Enumerable.Range(0, count).Select(_ => One())];

    private byte[] One()
    {
        if (_answers.Count > 0 && draw.Rarely(3)) return draw.Pick<Func<byte[]>>([.. _answers])();
        var addresses = Between();
        var (source, destination) = ((ushort)draw.Port(), (ushort)draw.Port());
        var fields = new IpFields
        {
            // The router takes one away, and a packet with none left never reaches the rules.
            Ttl = draw.Pick<byte>(64, 65, 2, 255, 33),
            Tos = draw.Pick<byte>(0, 0, 0x10, 0xb8, 3, 12),
        };
        var payload = Payload.AsSpan(0, draw.Pick(0, 1, 20, 100, 1400)).ToArray();
        switch (draw.Random.Next(10))
        {
            case < 4:
                var flags = draw.Pick(TcpFlags.Syn, TcpFlags.Syn, TcpFlags.Syn, TcpFlags.Ack, TcpFlags.Rst, (TcpFlags)draw.Random.Next(256));
                var options = draw.Rarely(2) ? new TcpOptionBuilder().MaximumSegmentSize(draw.Pick<ushort>(536, 1460, 100)).ToArray() : [];
                _answers.Add(() => PacketBuilder.Tcp(addresses.Reversed, destination, source, TcpFlags.Syn | TcpFlags.Ack, 900, 1001, ip: fields));
                _answers.Add(() => PacketBuilder.Tcp(addresses, source, destination, TcpFlags.Ack, 1001, 901, ip: fields));
                return Cut(PacketBuilder.Tcp(addresses, source, destination, flags, 1000, 0, options: options, payload: payload, ip: fields), 20);
            case < 6:
                _answers.Add(() => PacketBuilder.Udp(addresses.Reversed, destination, source, payload, fields));
                _answers.Add(() => PacketBuilder.Udp(addresses, source, destination, payload, fields));
                return Cut(PacketBuilder.Udp(addresses, source, destination, payload, fields), 8);
            case < 8:
                var (type, code) = draw.IsIPv4
                    ? draw.Pick((8, 0), (8, 0), (0, 0), (3, 1), (3, 3), (5, 0), (11, 1), (13, 0), (200, 9))
                    : draw.Pick((128, 0), (128, 0), (129, 0), (1, 4), (2, 0), (4, 1), (137, 0), (200, 9));
                if (type is 8 or 128) _answers.Add(() => PacketBuilder.Echo(addresses.Reversed, source, 7, reply: true));
                return Cut(PacketBuilder.Icmp(addresses, (byte)type, (byte)code, (uint)source << 16, payload, fields), 8);
            default:
                var protocol = draw.Pick<byte>(IpProtocol.Sctp, IpProtocol.Dccp, IpProtocol.UdpLite, IpProtocol.Gre, 250, 2);
                var transport = new byte[draw.Pick(0, 4, 12, 40)];
                if (transport.Length >= 4)
                {
                    (transport[0], transport[1]) = ((byte)(source >> 8), (byte)source);
                    (transport[2], transport[3]) = ((byte)(destination >> 8), (byte)destination);
                }
                return PacketBuilder.Ip(addresses, protocol, transport, fields);
        }
    }

    // From one host to another.
    private PacketAddresses Between()
    {
        while (true)
        {
            var addresses = new PacketAddresses(draw.Family, Address(), Address());
            if (addresses.Source != addresses.Destination) return addresses;
        }
    }

    // Not addresses of one link only: the router does not forward those.
    private IpAddress Address()
    {
        while (true)
        {
            if (!IpAddress.TryParse(draw.Address(), out var address, out _)) continue;
            if (draw.IsIPv4 || address.High >> 54 != 0x3fa) return address;
        }
    }

    /// <summary>Now and then, a packet that ends within its transport header.</summary>
    private byte[] Cut(byte[] packet, int header)
    {
        if (!draw.Rarely(25)) return packet;
        var ip = draw.IsIPv4 ? 20 : 40;
        var length = ip + draw.Random.Next(header);
        var cut = packet[..length];
        var stated = draw.IsIPv4 ? length : length - ip;
        var at = draw.IsIPv4 ? 2 : 4;
        (cut[at], cut[at + 1]) = ((byte)(stated >> 8), (byte)stated);
        if (draw.IsIPv4) PacketBuilder.WriteHeaderChecksum(cut);
        return cut;
    }
}
