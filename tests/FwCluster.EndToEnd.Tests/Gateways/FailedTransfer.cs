using FwCluster.EndToEnd.Tests.Ftp;

namespace FwCluster.EndToEnd.Tests.Gateways;

/// <summary>A transfer that did not bring its file.</summary>
/// <param name="Way">How it was tried.</param>
/// <param name="Reason">What is wrong with the file.</param>
/// <param name="Said">All that the client said.</param>
internal sealed record FailedTransfer(FtpSession Way, string Reason, string Said)
{
    /// <summary>Whether the login succeeded, so that it was the data connection that did not.</summary>
    public bool LoggedIn => Said.Contains("< 230 ", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Way}: {Reason}\n{Said}";
}
