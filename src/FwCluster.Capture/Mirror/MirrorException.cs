namespace FwCluster.Capture.Mirror;

/// <summary>A mirror port cannot be opened. The message is for the operator.</summary>
public sealed class MirrorException : Exception
{
    /// <inheritdoc/>
    public MirrorException()
    {
    }

    /// <inheritdoc/>
    public MirrorException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public MirrorException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
