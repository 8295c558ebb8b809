using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m recent</c>: addresses seen before (<c>recent_mt</c> in xt_recent.c).</summary>
public sealed class RecentMatch : Match
{
    private RecentTable? _table;

    /// <summary>Whose addresses.</summary>
    public required IpFamily Family { get; init; }

    /// <summary>What is done.</summary>
    public required RecentAction Action { get; init; }

    /// <summary>True for <c>!</c> before the action.</summary>
    public bool IsInverted { get; init; }

    /// <summary>Seen within so many seconds; 0 for ever.</summary>
    public uint Seconds { get; init; }

    /// <summary>Forget the address that has been quiet for longest, where it has been for <see cref="Seconds"/>.</summary>
    public bool Reaps { get; init; }

    /// <summary>Seen so often, 0 to 65535.</summary>
    public int HitCount { get; init; }

    /// <summary>Only with the same time to live.</summary>
    public bool ComparesTtl { get; init; }

    /// <summary>Name of the list.</summary>
    public string ListName { get; init; } = "DEFAULT";

    /// <summary>Which bits of addresses count.</summary>
    public required IpAddress Mask { get; init; }

    /// <summary>The destination and not the source.</summary>
    public bool OfDestination { get; init; }

    /// <inheritdoc/>
    public override string Name => "recent";

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var table = _table ??= new RecentTable(Mask, HitCount);
        ref readonly var headers = ref packet.Headers;
        var address = (OfDestination ? headers.Destination : headers.Source).And(table.Mask);
        var ttl = headers.Ttl;
        // A packet being forwarded has lost one already: the list has it as it came in.
        if (packet.Hook == Hook.Forward || packet.Hook == Hook.PostRouting && !packet.In.IsEmpty) ttl++;
        var now = Jiffies.At(packet.Now);

        var entry = table.Find(address, ComparesTtl ? ttl : (byte)0);
        if (entry < 0)
        {
            if (Action != RecentAction.Set) return IsInverted;
            table.Add(address, ttl, now);
            return !IsInverted;
        }
        var matches = IsInverted;
        switch (Action)
        {
            case RecentAction.Set:
                matches = !IsInverted;
                break;
            case RecentAction.Remove:
                table.Remove(entry);
                return !IsInverted;
            default:
                var since = now - Seconds * Jiffies.Hz;
                if (table.WasSeen(entry, HitCount, Seconds == 0 ? null : since)) matches = !IsInverted;
                if (Reaps) table.Reap(since, Action == RecentAction.Update && matches ? entry : -1);
                break;
        }
        if (Action == RecentAction.Set || Action == RecentAction.Update && matches) table.Update(entry, ttl, now);
        return matches;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory)
    {
        var bound = (RecentMatch)MemberwiseClone();
        bound._table = memory.Table(ListName, () => new RecentTable(Mask, HitCount));
        bound._table.Extend(HitCount);
        return bound;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        writer.Option(Action switch
        {
            RecentAction.Set => "--set",
            RecentAction.Check => "--rcheck",
            RecentAction.Update => "--update",
            _ => "--remove",
        }, IsInverted);
        if (Seconds != 0) writer.Word("--seconds").Number(Seconds);
        if (Reaps) writer.Word("--reap");
        if (HitCount != 0) writer.Word("--hitcount").Number((ulong)HitCount);
        if (ComparesTtl) writer.Word("--rttl");
        writer.Word("--name").Word(ListName).Word("--mask").Word(Mask.ToString(Family)).Word(OfDestination ? "--rdest" : "--rsource");
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        if (IsInverted) writer.Words("!");
        writer.Words("recent: " + Action.ToString().ToUpperInvariant());
        if (Seconds != 0) writer.Words($"seconds: {Seconds}");
        if (Reaps) writer.Words("reap");
        if (HitCount != 0) writer.Words($"hit_count: {HitCount}");
        if (ComparesTtl) writer.Words("TTL-Match");
        writer.Words($"name: {ListName} side: {(OfDestination ? "dest" : "source")} mask: {Mask.ToString(Family)}");
    }
}

/// <summary>What <see cref="RecentMatch"/> does with its list.</summary>
public enum RecentAction : byte
{
    /// <summary>Notes the address; always matches.</summary>
    Set,

    /// <summary>Asks for the address.</summary>
    Check,

    /// <summary>Asks, and notes it where it was found.</summary>
    Update,

    /// <summary>Asks, and forgets it.</summary>
    Remove,
}
