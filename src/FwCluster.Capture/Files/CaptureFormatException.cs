namespace FwCluster.Capture.Files;

/// <summary>What was to be read is not a capture. The message is for the person who named the file.</summary>
public sealed class CaptureFormatException : Exception
{
    /// <summary>Says nothing more.</summary>
    public CaptureFormatException()
    {
    }

    /// <summary>Says what is wrong.</summary>
    public CaptureFormatException(string message) : base(message)
    {
    }

    /// <summary>Says what is wrong, and what it came from.</summary>
    public CaptureFormatException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
