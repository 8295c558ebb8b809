using System.Text;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Table;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;

namespace FwCluster.Fuzz.Targets;

/// <summary>
/// What the two ends of an FTP control connection say, cut into segments at random, some of them again or out of order. However
/// they talk, there is one expectation at a time, and it is between the two.
/// </summary>
internal sealed class FtpTarget : FuzzTarget
{
    private const byte FromServer = 1, Again = 2, Ahead = 4;
    private const ushort ClientPort = 40000, ServerPort = 21;

    private static readonly string[] Words =
    [
        "PORT 10,211,55,10,4,1\r\n", "PORT ", "EPRT |1|10.211.55.10|1025|\r\n", "EPRT |2|2001::10|1025|\r\n", "EPRT ", "EPSV\r\n", "PASV\r\n",
        "227 Entering Passive Mode (10,211,55,20,4,1).\r\n", "227 ", "229 Entering Extended Passive Mode (|||1025|)\r\n", "229 ", "(|||",
        "AUTH TLS\r\n", "234 ", "220 hello\r\n", "USER student\r\n", "\r\n", "\n", ",", "|", "|1|", "|2|", "10,211,55,20,", "::", "65535", "255,255", "0,0",
    ];

    private static readonly byte[] Line = InputReader.WritePiece("NOOP\r\n"u8);

    /// <inheritdoc/>
    public override string Name => "ftp";

    /// <inheritdoc/>
    public override string Description => "FTP control connections: the helper and its expectations";

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (var word in Words)
            {
                foreach (var first in (byte[])[0, 1])
                {
                    // Only a line behind another one is read.
                    var side = (byte)(char.IsAsciiDigit(word[0]) ? FromServer : 0);
                    yield return [first, side, .. Line, side, .. InputReader.WritePiece(Encoding.ASCII.GetBytes(word))];
                }
            }
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Dictionary => Words.Select(Encoding.ASCII.GetBytes);

    /// <inheritdoc/>
    public override int MaxInputBytes => 1024;

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var dialogue = new Dialogue(ipv6: (reader.Byte() & 1) != 0);
        while (!reader.IsAtEnd)
        {
            var flags = reader.Byte();
            dialogue.Say(flags, reader.Piece());
        }
    }

    private sealed class Dialogue
    {
        private readonly ConnectionTable _table;
        private readonly bool _ipv6;
        private long _now = 1_700_000_000_000_000_000;
        private uint _client = 1000;
        private uint _server = 2000;

        public Dialogue(bool ipv6)
        {
            _ipv6 = ipv6;
            if (!ConnectionHelpers.TryCreate("ftp", out var helpers, out var error)) throw new InvalidOperationException(error);
            _table = new ConnectionTable(ConntrackSettings.Default with { MaxEntries = 16 }, helpers, new TupleHash("0123456789abcdef"u8));
            Send(true, TcpFlags.Syn, 999, 0, []);
            Send(false, TcpFlags.Syn | TcpFlags.Ack, 1999, 1000, []);
            Send(true, TcpFlags.Ack, 1000, 2000, []);
            if (_table.Count != 1) throw new InvalidOperationException("the control connection was not established");
        }

        public void Say(byte flags, ReadOnlySpan<byte> text)
        {
            var toServer = (flags & FromServer) == 0;
            ref var next = ref toServer ? ref _client : ref _server;
            var sequence = (flags & Again) != 0 ? next - (uint)text.Length : (flags & Ahead) != 0 ? next + 1 : next;
            Send(toServer, TcpFlags.Ack | TcpFlags.Psh, sequence, toServer ? _server : _client, text);
            if ((flags & (Again | Ahead)) == 0) next += (uint)text.Length;
            Check();
        }

        private void Send(bool toServer, TcpFlags flags, uint sequence, uint acknowledgment, ReadOnlySpan<byte> text)
        {
            _now += 1_000_000;
            var (from, to) = toServer ? (ClientPort, ServerPort) : (ServerPort, ClientPort);
            var packet = PacketSeeds.Ip(_ipv6, toServer, IpProtocol.Tcp, PacketSeeds.Tcp(from, to, flags, sequence, acknowledgment, text));
            if (PacketDecoder.Decode(packet, packet.Length, out var headers) != DecodeResult.Ok)
                throw new InvalidOperationException("the segment is not a packet");
            var result = _table.Track(headers, packet, default, _now);
            _table.Confirm(ref result, headers, packet, _now);
        }

        private void Check()
        {
            var expectations = 0;
            foreach (var expected in _table.Expectations(_now))
            {
                expectations++;
                var between = IsEnd(expected.Tuple.Destination) && (!expected.MatchSourceAddress || IsEnd(expected.Tuple.Source));
                if (!between || expected.Tuple.Protocol != IpProtocol.Tcp)
                    throw new InvalidOperationException($"what is expected is not between the two: {expected}");
            }
            if (expectations > 1) throw new InvalidOperationException($"{expectations} expectations of one control connection");
        }

        // The two addresses of PacketSeeds.Ip.
        private bool IsEnd(IpAddress address)
            => (address.Low & 0xff) is 10 or 20 && address.High == (_ipv6 ? 0x2001ul << 48 : 0) && address.Low >> 8 == (_ipv6 ? 0ul : 10 << 16 | 211 << 8 | 55);
    }
}
