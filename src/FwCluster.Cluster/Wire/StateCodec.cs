using FwCluster.Cluster.Nodes;
using FwCluster.Conntrack;
using FwCluster.Datapath.Shards;
using Google.Protobuf;
using Proto = FwCluster.Cluster.Protocol.V1;

namespace FwCluster.Cluster.Wire;

/// <summary>What a shard leaves, as <c>ShardState</c> messages of some hundred KiB.</summary>
internal static class StateCodec
{
    private const int PieceBytes = 256 * 1024;

    /// <summary>All pieces, the last one marked.</summary>
    public static List<byte[]> Write(int number, Shard shard, NodeContext node, long now)
    {
        var estate = new Estate(number, node, now);
        shard.Leave(estate, now);
        return estate.Finish();
    }

    /// <summary>That nothing was kept.</summary>
    public static byte[] Nothing(int number, NodeContext node) => new Estate(number, node, 0).Finish()[0];

    /// <summary>The shard that a piece belongs to.</summary>
    public static int ShardOf(ReadOnlySpan<byte> piece)
    {
        var reader = new WireReader(piece);
        while (reader.Next())
        {
            if (reader.Field == 1) return (int)reader.AtMost(int.MaxValue);
        }
        return 0;
    }

    /// <summary>Gives a piece to the shard that goes on.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="node">This node.</param>
    /// <param name="isHolder">Told of each worker that has something of the shard.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <returns>True where it was the last one.</returns>
    public static bool Read(ReadOnlySpan<byte> piece, Shard shard, NodeContext node, Action<int> isHolder, long now)
    {
        var reader = new WireReader(piece);
        var isLast = false;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: isLast = reader.Flag; break;
                case 3: ReadEntry(reader.Bytes, shard, node, isHolder, now); break;
                case 4: ReadExpectation(reader.Bytes, shard, node, now); break;
                default: break;
            }
        }
        return isLast;
    }

    private static void ReadEntry(ReadOnlySpan<byte> message, Shard shard, NodeContext node, Action<int> isHolder, long now)
    {
        var reader = new WireReader(message);
        Connection entry = default;
        var holders = new List<int>();
        ReadOnlySpan<byte> helper = default;
        byte recalls = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: node.Codec.ReadEntry(ref reader, ref entry, now); break;
                case 2: recalls = (byte)reader.AtMost(byte.MaxValue); break;
                case 3: ReadHolder(reader.Bytes, node, holders); break;
                case 4: helper = reader.Bytes; break;
                default: break;
            }
        }
        if (reader.IsBroken || entry.Original.Family == 0)
        {
            node.Statistics.CountBroken();
            return;
        }
        foreach (var holder in holders) isHolder(holder);
        entry.Recalls = recalls;
        entry.Holder = holders.Count > 0 ? holders[0] : 0;
        shard.TakeOver(in entry, holders, helper, isHolderGone: holders.Count == 0, now);
    }

    /// <summary>A worker that is not known any more holds nothing.</summary>
    private static void ReadHolder(ReadOnlySpan<byte> message, NodeContext node, List<int> holders)
    {
        var reader = new WireReader(message);
        int uid = 0, worker = 0;
        while (reader.Next())
        {
            if (reader.Field == 1) uid = (int)reader.Number;
            else if (reader.Field == 2) worker = (int)reader.AtMost(Holder.MaxWorker);
        }
        if (!reader.IsBroken && node.Map.TryGet(uid, out var from)) holders.Add(Holder.Of(from.Number, worker));
    }

    private static void ReadExpectation(ReadOnlySpan<byte> message, Shard shard, NodeContext node, long now)
    {
        try
        {
            var handed = Proto.HandedExpectation.Parser.ParseFrom(message);
            if (ExpectationWire.TryRead(handed, node.Codec.Helpers, out var number, out var expectation) && ExpectationWire.TryRead(handed.Master, out var tuple))
            {
                var master = new Connection
                {
                    Original = tuple, Zone = (ushort)(handed.MasterZone?.Id ?? 0), ZoneDirections = (ZoneDirections)(handed.MasterZone?.Directions ?? 0),
                };
                shard.TakeOver(number, expectation, now + handed.Expectation.ExpiresIn, in master, now);
                return;
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // Counted as what cannot be read.
        }
        node.Statistics.CountBroken();
    }

    private sealed class Estate : IShardEstate
    {
        private readonly int _shard;
        private readonly NodeContext _node;
        private readonly long _now;
        private readonly WireWriter _writer = new();
        private readonly List<byte[]> _pieces = [];

        public Estate(int shard, NodeContext node, long now)
        {
            (_shard, _node, _now) = (shard, node, now);
            _writer.Number(1, (uint)shard);
        }

        public void Add(in Connection entry, IReadOnlyList<int> sharers, byte[] helper)
        {
            var begun = _writer.Begin(3);
            _node.Codec.WriteEntry(_writer, 1, entry, _now);
            _writer.Number(2, entry.Recalls);
            if (entry.Grant == GrantKind.Exclusive) WriteHolder(entry.Holder);
            else foreach (var sharer in sharers) WriteHolder(sharer);
            _writer.Bytes(4, helper);
            _writer.End(begun);
            EndPiece();
        }

        public void Add(ulong number, Expectation expectation, in Connection master)
        {
            _writer.Bytes(4, ExpectationWire.Handed(_shard, number, expectation, master, _node.Codec.Helpers, _now).ToByteArray());
            EndPiece();
        }

        public List<byte[]> Finish()
        {
            _writer.Flag(2, true);
            _pieces.Add(_writer.ToArray());
            return _pieces;
        }

        private void WriteHolder(int holder)
        {
            var begun = _writer.Begin(3);
            _writer.Fixed(1, _node.Map[Holder.Node(holder)].Uid);
            _writer.Number(2, (uint)Holder.Worker(holder));
            _writer.End(begun);
        }

        private void EndPiece()
        {
            if (_writer.Length < PieceBytes) return;
            _pieces.Add(_writer.ToArray());
            _writer.Clear();
            _writer.Number(1, (uint)_shard);
        }
    }
}
