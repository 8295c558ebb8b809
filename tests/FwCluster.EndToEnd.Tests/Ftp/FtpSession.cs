using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>A cell of the matrix: one login, in which files of several sizes go up and down.</summary>
internal sealed record FtpSession(FtpServer Server, FtpClient Client, FtpMode Mode, IpFamily Family)
{
    /// <summary>Why no client and server would do this, or null. What is left out of the matrix is exactly this.</summary>
    public string? LeftOut => this switch
    {
        { Family: IpFamily.IPv6, Mode: FtpMode.Passive or FtpMode.Active } => "PASV and PORT have room for an IPv4 address only",
        { Client.Name: "lftp", Family: IpFamily.IPv4, Mode: FtpMode.ExtendedActive } => "lftp says PORT wherever the connection is IPv4",
        _ => null,
    };

    /// <summary>Every cell, with those that are left out.</summary>
    public static IEnumerable<FtpSession> All =>
        from server in FtpServer.All
        from client in FtpClient.All
        from mode in Enum.GetValues<FtpMode>()
        from family in IpFamilies.Both
        select new FtpSession(server, client, mode, family);

    /// <inheritdoc/>
    public override string ToString() => $"{Server} {Client} {Mode.Word()} {Family}";
}
