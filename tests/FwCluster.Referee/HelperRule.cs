namespace FwCluster.Referee;

/// <summary>A <c>CT --helper</c> rule: packets of a protocol to a port get a helper.</summary>
/// <param name="Helper">The helper's name: ftp, tftp.</param>
/// <param name="Protocol">tcp or udp.</param>
/// <param name="Port">The destination port.</param>
public sealed record HelperRule(string Helper, string Protocol, ushort Port)
{
    /// <summary>ftp on TCP port 21.</summary>
    public static readonly HelperRule Ftp = new("ftp", "tcp", 21);

    /// <summary>tftp on UDP port 69.</summary>
    public static readonly HelperRule Tftp = new("tftp", "udp", 69);
}
