namespace FwCluster.Referee.Lab;

/// <summary>What a finished command left.</summary>
/// <param name="ExitCode">Its exit status.</param>
/// <param name="Output">All of its standard output.</param>
/// <param name="Error">All of its standard error.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error);
