namespace FwCluster.Rules.Evaluation.Classification;

/// <summary>What a classifier tells packets apart by. None of these changes while a table runs.</summary>
public enum PacketField : byte
{
    /// <summary>Transport protocol number.</summary>
    Protocol,

    /// <summary>Source address.</summary>
    Source,

    /// <summary>Destination address.</summary>
    Destination,

    /// <summary>Source port, as <see cref="Packets.PacketHeaders.SourcePort"/> has it for any protocol.</summary>
    SourcePort,

    /// <summary>Destination port, as <see cref="Packets.PacketHeaders.DestinationPort"/> has it for any protocol.</summary>
    DestinationPort,

    /// <summary>The interface the packet came in by, its name read as a number, first byte highest: names with one beginning are a
    /// range.</summary>
    In,

    /// <summary>The interface the packet leaves by, likewise.</summary>
    Out,

    /// <summary>What tracking says (<see cref="Conntrack.ConntrackState"/>). Not in the raw table, where CT and NOTRACK change it.</summary>
    State,
}

/// <summary>Values of a field from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Last">The highest, not below the first.</param>
public readonly record struct FieldRange(UInt128 First, UInt128 Last);
