namespace FwCluster.Capture.Divert;

/// <summary>The divert rules could not be read, put in place or removed. The message says why, and what would help.</summary>
public sealed class DivertException : Exception
{
    /// <summary>An error without a reason.</summary>
    public DivertException() { }

    /// <summary>An error in words.</summary>
    public DivertException(string message) : base(message) { }

    /// <summary>An error in words, with what caused it.</summary>
    public DivertException(string message, Exception inner) : base(message, inner) { }
}
