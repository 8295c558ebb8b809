namespace FwCluster.Conntrack;

/// <summary>What a protocol's tracker says of a packet, for <see cref="ConnectionTable.Track"/> to act on.</summary>
internal enum TrackerVerdict : byte
{
    /// <summary>Belongs to the connection.</summary>
    Accept,

    /// <summary>Does not; the packet is INVALID.</summary>
    Invalid,

    /// <summary>The connection is over and this packet begins another with the same tuple: remove the entry and look again.</summary>
    Repeat,

    /// <summary>Belongs to the connection, which ends with it: remove the entry at once.</summary>
    AcceptAndRemove,
}
