namespace FwCluster.Conntrack;

/// <summary>Which way a packet goes, seen from who opened the connection (<c>enum ip_conntrack_dir</c>).</summary>
public enum Direction : byte
{
    /// <summary>As the first packet went.</summary>
    Original = 0,

    /// <summary>The other way.</summary>
    Reply = 1,
}

/// <summary>Turning round.</summary>
public static class DirectionExtensions
{
    /// <summary>The other direction.</summary>
    public static Direction Opposite(this Direction direction) => (Direction)((int)direction ^ 1);
}
