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

    /// <summary>A fault of fwctl's own (EX_SOFTWARE of sysexits.h).</summary>
    public const int Fault = 70;

    /// <summary>Stopped by Ctrl-C; what was read until then was replayed and printed.</summary>
    public const int Interrupted = 130;
}
