using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Conntrack.Table;
using FwCluster.Fuzz.Engine;
using FwCluster.Packets;
using FwCluster.Packets.Fragments;

namespace FwCluster.Fuzz.Targets;

/// <summary>
/// Packets, one after another: decoded, put together, tracked, confirmed or discarded. Headers stay within the packet, the tables
/// within their limits.
/// </summary>
internal sealed class PacketsTarget : FuzzTarget
{
    private const byte RightHeaderChecksum = 1, RightTransportChecksum = 2, Later = 4, Discard = 8, CutOff = 16, Untracked = 32, Twice = 64;

    // Small, so that a short input can fill them.
    private const int MaxEntries = 16;
    private const int MaxExpectations = 4;

    /// <inheritdoc/>
    public override string Name => "packets";

    /// <inheritdoc/>
    public override string Description => "IP packets: decoding, reassembly, tracking";

    /// <inheritdoc/>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            foreach (var packet in PacketSeeds.All) yield return [0, RightHeaderChecksum, .. InputReader.WritePiece(packet)];
            yield return [0, .. PacketSeeds.All.SelectMany(packet => (byte[])[RightHeaderChecksum, .. InputReader.WritePiece(packet)])];
            foreach (var conversation in SeedCaptures.Packets().Chunk(40))
                yield return [1, .. conversation.SelectMany(packet => (byte[])[RightHeaderChecksum, .. InputReader.WritePiece(packet.AsSpan(0, Math.Min(120, packet.Length)))])];
        }
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var options = reader.Byte();
        if (!ConnectionHelpers.TryCreate("ftp,tftp", out var helpers, out var error)) throw new InvalidOperationException(error);
        var settings = ConntrackSettings.Default with
        {
            MaxEntries = MaxEntries,
            MaxExpectations = MaxExpectations,
            VerifyChecksums = (options & 1) != 0,
            TcpLoose = (options & 2) == 0,
            TcpBeLiberal = (options & 4) != 0,
            TcpIgnoreInvalidRst = (options & 8) != 0,
        };
        var table = new ConnectionTable(settings, helpers, new TupleHash("0123456789abcdef"u8));
        var limits = new ReassemblyOptions { IPv4MemoryLimit = 1 << 16, IPv6MemoryLimit = 1 << 16 };
        var way = new Way(table, new Reassembler(limits));
        while (!reader.IsAtEnd)
        {
            var flags = reader.Byte();
            // A copy of exactly its size: a read beyond its end is one beyond an array's.
            way.Take(reader.Piece().ToArray(), flags);
            if (table.Count > MaxEntries) throw new InvalidOperationException($"{table.Count} entries, the limit is {MaxEntries}");
        }
        var (entries, expectations) = (table.Connections(way.Now).Count(), table.Expectations(way.Now).Count());
        if (entries > table.Count) throw new InvalidOperationException($"{entries} of {table.Count} entries are listed");
        if (expectations > MaxExpectations) throw new InvalidOperationException($"{expectations} expectations, the limit is {MaxExpectations}");
    }

    /// <summary>What stays from packet to packet.</summary>
    private sealed class Way(ConnectionTable table, Reassembler reassembler)
    {
        /// <summary>Nanoseconds since the Unix epoch.</summary>
        public long Now { get; private set; } = 1_700_000_000_000_000_000;

        public void Take(byte[] packet, byte flags)
        {
            Now += (flags & Later) != 0 ? 20_000_000_000 : 1000;
            if ((flags & RightHeaderChecksum) != 0) FixHeaderChecksum(packet);
            var captured = (flags & CutOff) != 0 ? packet.AsSpan(0, packet.Length * 3 / 4) : packet;
            var decoded = PacketDecoder.Decode(captured, packet.Length, out var headers);
            if (decoded != DecodeResult.Ok) return;
            Check(headers, packet.Length);
            if ((flags & RightTransportChecksum) != 0) Checksum.WriteTransport(headers, captured);
            var rounds = (flags & Twice) != 0 ? 2 : 1;
            for (var round = 0; round < rounds; round++) Reassemble(headers, captured, flags);
        }

        private void Reassemble(PacketHeaders headers, ReadOnlySpan<byte> packet, byte flags)
        {
            if (!Reassembler.Concerns(headers))
            {
                Track(headers, packet, flags);
                return;
            }
            var result = reassembler.Add(headers, packet, Now, default, out var whole);
            if (result == FragmentResult.Untouched) Track(headers, packet, flags);
            if (result != FragmentResult.Whole) return;
            using (whole)
            {
                if (PacketDecoder.Decode(whole.Span, whole.WireLength, out headers) != DecodeResult.Ok) return;
                Check(headers, whole.WireLength);
                Track(headers, whole.Span, flags);
            }
        }

        private void Track(in PacketHeaders headers, ReadOnlySpan<byte> packet, byte flags)
        {
            var template = new ConnectionTemplate { IsSet = (flags & Untracked) != 0, NoTrack = (flags & Untracked) != 0 };
            packet = packet[..Math.Min(packet.Length, headers.TotalLength)];
            var result = table.Track(headers, packet, template, Now);
            if (result.State == ConntrackState.Invalid && result.Connection >= 0)
                throw new InvalidOperationException("an INVALID packet has a connection");
            if ((flags & Discard) != 0 || result.Drop) table.Discard(ref result);
            else table.Confirm(ref result, headers, packet, Now);
        }

        private static void FixHeaderChecksum(byte[] packet)
        {
            if (packet.Length < 20 || packet[0] >> 4 != 4) return;
            var length = (packet[0] & 15) * 4;
            if (length >= 20 && length <= packet.Length) Checksum.WriteIPv4Header(packet.AsSpan(0, length));
        }

        private static void Check(in PacketHeaders headers, int wireLength)
        {
            if (headers.TotalLength > wireLength || headers.TransportOffset > headers.TotalLength || headers.PayloadOffset > headers.TotalLength
                || headers.PayloadOffset < headers.TransportOffset)
            {
                throw new InvalidOperationException($"of {wireLength} bytes, a packet of {headers.TotalLength} has its transport at "
                    + $"{headers.TransportOffset} and its payload at {headers.PayloadOffset}");
            }
        }
    }
}
