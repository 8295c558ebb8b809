namespace FwCluster.Referee.Lab;

/// <summary>A command of the laboratory failed; the message quotes it.</summary>
public sealed class CommandFailedException : Exception
{
    public CommandFailedException() { }

    public CommandFailedException(string message) : base(message) { }

    public CommandFailedException(string message, Exception inner) : base(message, inner) { }
}
