using FwCluster.Packets;

namespace FwCluster.Conntrack;

/// <summary>A connection that a helper has announced (<c>struct nf_conntrack_expect</c>): its first packet is RELATED.</summary>
public sealed record Expectation
{
    /// <summary>The tuple expected: original direction. Fields outside the mask are zero.</summary>
    public required FlowTuple Tuple { get; init; }

    /// <summary>True where the source address must be the tuple's; false for any source.</summary>
    public required bool MatchSourceAddress { get; init; }

    /// <summary>True where the source port must be the tuple's.</summary>
    public bool MatchSourcePort { get; init; }

    /// <summary>Zone of the master.</summary>
    public ushort Zone { get; init; }

    /// <summary>Distinguishes expectations of one helper that may stand side by side (<c>nf_ct_expect_class</c>).</summary>
    public byte Class { get; init; }

    /// <summary>Stays after a connection has matched it (<c>NF_CT_EXPECT_PERMANENT</c>).</summary>
    public bool Permanent { get; init; }

    /// <summary>Helper of the expected connection: its number in <see cref="ConnectionTable.Helpers"/>, plus one; 0 for none.</summary>
    public byte Helper { get; init; }

    /// <summary>Index of the master connection.</summary>
    public required int Master { get; init; }

    /// <summary>When it ends, nanoseconds since the Unix epoch.</summary>
    public long Expires { get; internal set; }
}
