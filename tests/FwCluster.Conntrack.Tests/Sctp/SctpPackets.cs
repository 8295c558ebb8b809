using System.Buffers.Binary;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests.Sctp;

/// <summary>Writes SCTP packets. Their CRC-32c is left zero: neither side verifies it here.</summary>
internal static class SctpPackets
{
    public const byte Data = 0, Init = 1, InitAck = 2, Sack = 3, Heartbeat = 4, HeartbeatAck = 5, Abort = 6, Shutdown = 7,
        ShutdownAck = 8, Error = 9, CookieEcho = 10, CookieAck = 11, ShutdownComplete = 14;

    public const ushort ClientPort = 5000;
    public const ushort ServerPort = 2905;

    private static readonly string[] Names =
    [
        "DATA", "INIT", "INIT_ACK", "SACK", "HEARTBEAT", "HEARTBEAT_ACK", "ABORT", "SHUTDOWN", "SHUTDOWN_ACK", "ERROR",
        "COOKIE_ECHO", "COOKIE_ACK", "ECNE", "CWR", "SHUTDOWN_COMPLETE",
    ];

    /// <summary>A chunk as it is to be written.</summary>
    /// <param name="Type">Its type.</param>
    /// <param name="InitiateTag">First word of its body, where <paramref name="BodyBytes"/> has room for it.</param>
    /// <param name="Flags">Its flags: 1 is the T bit.</param>
    /// <param name="BodyBytes">Bytes behind its header; -1 for what the type usually has.</param>
    /// <param name="Length">What its length field says; -1 for the truth.</param>
    public sealed record Chunk(byte Type, uint InitiateTag = 0, byte Flags = 0, int BodyBytes = -1, int Length = -1)
    {
        public override string ToString()
            => (Type < Names.Length ? Names[Type] : $"type {Type}")
                + $"(tag {InitiateTag} flags {Flags} body {BodyBytes} length {Length})";
    }

    public static byte[] Packet(PacketAddresses toServer, bool fromClient, uint tag, params ReadOnlySpan<Chunk> chunks)
    {
        var bytes = new List<byte>();
        Span<byte> word = stackalloc byte[4];
        Ports(fromClient, word);
        bytes.AddRange(word);
        BinaryPrimitives.WriteUInt32BigEndian(word, tag);
        bytes.AddRange(word);
        bytes.AddRange(new byte[4]);
        foreach (var chunk in chunks)
        {
            var body = new byte[chunk.BodyBytes >= 0 ? chunk.BodyBytes : chunk.Type is Init or InitAck or Data ? 16 : 4];
            if (body.Length >= 4) BinaryPrimitives.WriteUInt32BigEndian(body, chunk.InitiateTag);
            word[0] = chunk.Type;
            word[1] = chunk.Flags;
            BinaryPrimitives.WriteUInt16BigEndian(word[2..], (ushort)(chunk.Length >= 0 ? chunk.Length : 4 + body.Length));
            bytes.AddRange(word);
            bytes.AddRange(body);
        }
        return PacketBuilder.Ip(fromClient ? toServer : toServer.Reversed, IpProtocol.Sctp, bytes.ToArray());
    }

    private static void Ports(bool fromClient, Span<byte> word)
    {
        BinaryPrimitives.WriteUInt16BigEndian(word, fromClient ? ClientPort : ServerPort);
        BinaryPrimitives.WriteUInt16BigEndian(word[2..], fromClient ? ServerPort : ClientPort);
    }
}
