using System.Text;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Datapath.Tests.Shards;

/// <summary>The segments of a TCP connection, as its ends send them.</summary>
internal sealed class Conversation(ushort clientPort = 5000, ushort serverPort = 80, string client = "192.0.2.1", string server = "198.51.100.1")
{
    private readonly PacketAddresses _there = PacketAddresses.Parse(client, server);
    private readonly PacketAddresses _back = PacketAddresses.Parse(server, client);
    private uint _client = 1000;
    private uint _server = 9000;

    public byte[] Syn() => PacketBuilder.Tcp(_there, clientPort, serverPort, TcpFlags.Syn, _client++);

    public byte[] SynAck() => PacketBuilder.Tcp(_back, serverPort, clientPort, TcpFlags.Syn | TcpFlags.Ack, _server++, _client);

    public byte[] Ack() => PacketBuilder.Tcp(_there, clientPort, serverPort, TcpFlags.Ack, _client, _server);

    public byte[] Say(string text) => Say(_there, clientPort, serverPort, ref _client, _server, text);

    public byte[] Answer(string text) => Say(_back, serverPort, clientPort, ref _server, _client, text);

    public byte[] Fin() => PacketBuilder.Tcp(_there, clientPort, serverPort, TcpFlags.Fin | TcpFlags.Ack, _client++, _server);

    public byte[] FinBack() => PacketBuilder.Tcp(_back, serverPort, clientPort, TcpFlags.Fin | TcpFlags.Ack, _server++, _client);

    public byte[] Reset() => PacketBuilder.Tcp(_there, clientPort, serverPort, TcpFlags.Rst | TcpFlags.Ack, _client, _server);

    private static byte[] Say(PacketAddresses way, ushort from, ushort to, ref uint sequence, uint acknowledgment, string text)
    {
        var packet = PacketBuilder.Tcp(way, from, to, TcpFlags.Ack | TcpFlags.Psh, sequence, acknowledgment, payload: Encoding.ASCII.GetBytes(text));
        sequence += (uint)text.Length;
        return packet;
    }
}
