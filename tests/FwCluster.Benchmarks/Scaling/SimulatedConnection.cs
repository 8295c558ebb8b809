using System.Text;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Benchmarks.Scaling;

/// <summary>The packets of a TCP connection between two hosts, each direction by a gateway of its own or both by one.</summary>
internal sealed class SimulatedConnection
{
    private readonly PacketAddresses _there;
    private readonly PacketAddresses _back;
    private readonly ushort _from;
    private readonly ushort _to;
    private uint _client = 1000;
    private uint _server = 5000;

    public SimulatedConnection(int number, ushort serverPort, bool fromServer = false)
    {
        var client = new IpAddress(0, 0x0a000000u | (uint)(number >> 12));
        var server = new IpAddress(0, 0xc0000201u);
        var (source, destination) = fromServer ? (server, client) : (client, server);
        _there = new PacketAddresses(IpFamily.IPv4, source, destination);
        _back = new PacketAddresses(IpFamily.IPv4, destination, source);
        (_from, _to) = ((ushort)(1024 + (number & 4095)), serverPort);
    }

    public byte[] Syn() => PacketBuilder.Tcp(_there, _from, _to, TcpFlags.Syn, _client++);

    public byte[] SynAck() => PacketBuilder.Tcp(_back, _to, _from, TcpFlags.Syn | TcpFlags.Ack, _server++, _client);

    public byte[] Ack() => PacketBuilder.Tcp(_there, _from, _to, TcpFlags.Ack, _client, _server);

    public byte[] Ask(string text)
    {
        var packet = PacketBuilder.Tcp(_there, _from, _to, TcpFlags.Ack | TcpFlags.Psh, _client, _server, payload: Encoding.ASCII.GetBytes(text));
        _client += (uint)text.Length;
        return packet;
    }

    public byte[] Answer(string text)
    {
        var packet = PacketBuilder.Tcp(_back, _to, _from, TcpFlags.Ack | TcpFlags.Psh, _server, _client, payload: Encoding.ASCII.GetBytes(text));
        _server += (uint)text.Length;
        return packet;
    }

    public byte[] Fin() => PacketBuilder.Tcp(_there, _from, _to, TcpFlags.Fin | TcpFlags.Ack, _client++, _server);

    public byte[] FinBack() => PacketBuilder.Tcp(_back, _to, _from, TcpFlags.Fin | TcpFlags.Ack, _server++, _client);
}
