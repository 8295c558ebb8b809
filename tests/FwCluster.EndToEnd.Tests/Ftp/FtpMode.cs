namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>How a data connection is announced.</summary>
public enum FtpMode
{
    /// <summary>PASV: the server says address and port (RFC 959).</summary>
    Passive,

    /// <summary>PORT: the client says address and port (RFC 959).</summary>
    Active,

    /// <summary>EPSV: the server says a port (RFC 2428).</summary>
    ExtendedPassive,

    /// <summary>EPRT: the client says family, address and port (RFC 2428).</summary>
    ExtendedActive,
}

/// <summary>The words of the modes.</summary>
internal static class FtpModes
{
    /// <summary>The command that a client sends.</summary>
    public static string Word(this FtpMode mode) => mode switch
    {
        FtpMode.Passive => "PASV",
        FtpMode.Active => "PORT",
        FtpMode.ExtendedPassive => "EPSV",
        FtpMode.ExtendedActive => "EPRT",
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };
}
