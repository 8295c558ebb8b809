namespace FwCluster.Cli;

/// <summary>A reason to stop that the person at the keyboard can do something about. The message is for them.</summary>
internal sealed class FwctlException : Exception
{
    public FwctlException()
    {
    }

    public FwctlException(string message) : base(message)
    {
    }

    public FwctlException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>What the shell is told.</summary>
    public int ExitCode { get; init; } = Cli.ExitCode.Wrong;
}
