namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>One file's way.</summary>
/// <param name="IsUpload">From the client to the server.</param>
/// <param name="Local">The file at the client.</param>
/// <param name="Remote">The file at the server, below the user's home.</param>
internal sealed record FtpTransfer(bool IsUpload, string Local, string Remote);
