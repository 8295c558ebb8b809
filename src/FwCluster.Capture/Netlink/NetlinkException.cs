namespace FwCluster.Capture.Netlink;

/// <summary>The kernel refused what was asked of it by netlink. The message says what, and what would help.</summary>
public sealed class NetlinkException : IOException
{
    /// <summary>An error without a reason.</summary>
    public NetlinkException() { }

    /// <summary>An error in words.</summary>
    public NetlinkException(string message) : base(message) { }

    /// <summary>An error in words, with what caused it.</summary>
    public NetlinkException(string message, Exception inner) : base(message, inner) { }

    internal NetlinkException(string message, int reason) : base(message) => Reason = reason;

    /// <summary>The kernel's error number (errno); 0 where there is none.</summary>
    public int Reason { get; }
}
