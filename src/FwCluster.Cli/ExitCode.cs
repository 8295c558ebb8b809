namespace FwCluster.Cli;

/// <summary>What fwctl tells the shell. The help of each command lists those it uses.</summary>
internal static class ExitCode
{
    /// <summary>All is well.</summary>
    public const int Ok = 0;

    /// <summary>The command line, a rule file or a set file is wrong, or a file cannot be read or written.</summary>
    public const int Wrong = 1;

    /// <summary>The capture cannot be read, or breaks off; what could be read was replayed and printed.</summary>
    public const int BrokenCapture = 2;

    /// <summary>No endpoint could be reached, or the node cannot do it now.</summary>
    public const int Unreachable = 3;

    /// <summary>Not allowed: no certificate or token, a wrong one, or a role too low.</summary>
    public const int NotAllowed = 4;

    /// <summary>Another generation is in force than the one that was expected.</summary>
    public const int Stale = 5;

    /// <summary>Some node could not be asked; what is printed, or was changed, is of the others.</summary>
    public const int Partial = 6;

    /// <summary>A fault of fwctl's own (EX_SOFTWARE of sysexits.h).</summary>
    public const int Fault = 70;

    /// <summary>Stopped by Ctrl-C; what was read until then was replayed and printed.</summary>
    public const int Interrupted = 130;
}
