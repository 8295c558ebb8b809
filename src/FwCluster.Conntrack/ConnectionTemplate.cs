namespace FwCluster.Conntrack;

/// <summary>What the raw table said about a packet before it is tracked (<c>-j CT</c>, <c>-j NOTRACK</c>): the kernel's conntrack
/// template.</summary>
public struct ConnectionTemplate
{
    /// <summary>Do not track.</summary>
    public bool NoTrack;

    /// <summary>The zone, where <see cref="ZoneDirections"/> is not empty.</summary>
    public ushort Zone;

    /// <summary>The packet's mark is the zone, as it is when tracking begins: whoever tracks puts it into <see cref="Zone"/>
    /// (<c>nf_ct_zone_tmpl</c>).</summary>
    public bool ZoneIsMark;

    /// <summary>Directions in which the zone counts.</summary>
    public ZoneDirections ZoneDirections;

    /// <summary>The helper's number in <see cref="ConnectionTable.Helpers"/>, plus one; 0 for none.</summary>
    public byte Helper;

    /// <summary>Whether the transport checksum was looked at already.</summary>
    public ChecksumCheck Checksum;

    /// <summary>A rule has set a template: a later CT rule does not change it (<c>xt_ct_target</c>).</summary>
    public bool IsSet;
}

/// <summary>What is known of a packet's transport checksum.</summary>
public enum ChecksumCheck : byte
{
    /// <summary>Nothing: who tracks looks, where <see cref="ConntrackSettings.VerifyChecksums"/> says so.</summary>
    NotDone,

    /// <summary>It is right, or not to be looked at.</summary>
    Right,

    /// <summary>It is wrong.</summary>
    Wrong,
}
