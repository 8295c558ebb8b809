using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>
/// What must hold of the fields of every packet that a rule matches, gathered from its matches (<see cref="Model.Match.Constrain"/>).
/// Each call narrows: a field's values are those that all calls allow.
/// </summary>
/// <param name="family">The ruleset's family.</param>
public sealed class RuleConstraints(IpFamily family)
{
    private const int Fields = (int)PacketField.State + 1;

    private readonly FieldRange[]?[] _allowed = new FieldRange[]?[Fields];

    /// <summary>The state may change while the rules run (raw table: CT, NOTRACK): what is said of it is not kept.</summary>
    internal bool StateChanges { get; init; }

    /// <summary>The values a field may have, ascending, apart from each other; null where any will do.</summary>
    internal FieldRange[]? this[PacketField field] => _allowed[(int)field];

    /// <summary>The field has a value of one of these ranges, or (<paramref name="inverted"/>) of none.</summary>
    public void Restrict(PacketField field, ReadOnlySpan<FieldRange> ranges, bool inverted = false)
    {
        var highest = Highest(field, family);
        var allowed = Union(ranges);
        if (inverted) allowed = Complement(allowed, highest);
        if (allowed is [{ First: var first, Last: var last }] && first == UInt128.Zero && last >= highest) return; // any will do
        var before = _allowed[(int)field];
        _allowed[(int)field] = before is null ? allowed : Intersection(before, allowed);
    }

    /// <summary>The field lies between these values, or (<paramref name="inverted"/>) not.</summary>
    public void Restrict(PacketField field, UInt128 first, UInt128 last, bool inverted = false)
        => Restrict(field, [new FieldRange(first, last)], inverted);

    /// <summary>The address has these bits under a mask. A mask with holes says nothing that a range could.</summary>
    public void RestrictAddress(PacketField field, IpAddress address, IpAddress mask, bool inverted)
    {
        var holes = Highest(field, family) ^ mask.Value;
        if ((holes & (holes + 1)) != 0) return;
        var first = address.Value & mask.Value;
        Restrict(field, first, first | holes, inverted);
    }

    /// <summary>The interface's name begins with these bytes: a whole name with its zero, or what stands before a <c>+</c>.</summary>
    public void RestrictInterface(PacketField field, InterfaceName name, UInt128 mask, bool inverted)
    {
        var holes = ~ByteOrder(mask);
        if ((holes & (holes + 1)) != 0) return;
        var first = ByteOrder(name.Value) & ~holes;
        Restrict(field, first, first | holes, inverted);
    }

    /// <summary>The packet's state is one of these.</summary>
    public void RestrictState(ReadOnlySpan<ConntrackState> states)
    {
        if (StateChanges) return;
        var ranges = new FieldRange[states.Length];
        for (var i = 0; i < states.Length; i++) ranges[i] = new((byte)states[i], (byte)states[i]);
        Restrict(PacketField.State, ranges);
    }

    /// <summary>A name as a number that orders as the name's bytes do.</summary>
    internal static UInt128 ByteOrder(UInt128 name) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(name);

    private static UInt128 Highest(PacketField field, IpFamily family) => field switch
    {
        PacketField.Protocol or PacketField.State => byte.MaxValue,
        PacketField.SourcePort or PacketField.DestinationPort => ushort.MaxValue,
        PacketField.Source or PacketField.Destination when family == IpFamily.IPv4 => uint.MaxValue,
        _ => UInt128.MaxValue,
    };

    private static FieldRange[] Union(ReadOnlySpan<FieldRange> ranges)
    {
        if (ranges is [var only] && only.First <= only.Last) return [only];
        var sorted = ranges.ToArray();
        Array.Sort(sorted, (a, b) => a.First.CompareTo(b.First));
        var union = new List<FieldRange>(sorted.Length);
        foreach (var range in sorted)
        {
            if (range.First > range.Last) continue;
            if (union.Count > 0 && Touches(union[^1], range))
                union[^1] = union[^1] with { Last = UInt128.Max(union[^1].Last, range.Last) };
            else
                union.Add(range);
        }
        return [.. union];
    }

    private static bool Touches(FieldRange before, FieldRange range)
        => before.Last == UInt128.MaxValue || range.First <= before.Last + 1;

    private static FieldRange[] Complement(FieldRange[] ranges, UInt128 highest)
    {
        var complement = new List<FieldRange>(ranges.Length + 1);
        var next = UInt128.Zero;
        foreach (var range in ranges)
        {
            if (range.First > next) complement.Add(new(next, range.First - 1));
            if (range.Last >= highest) return [.. complement];
            next = range.Last + 1;
        }
        complement.Add(new(next, highest));
        return [.. complement];
    }

    private static FieldRange[] Intersection(FieldRange[] left, FieldRange[] right)
    {
        var both = new List<FieldRange>();
        for (int l = 0, r = 0; l < left.Length && r < right.Length;)
        {
            var first = UInt128.Max(left[l].First, right[r].First);
            var last = UInt128.Min(left[l].Last, right[r].Last);
            if (first <= last) both.Add(new(first, last));
            if (left[l].Last < right[r].Last) l++;
            else r++;
        }
        return [.. both];
    }
}
