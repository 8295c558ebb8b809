namespace FwCluster.Node;

/// <summary>What the daemon ends with.</summary>
internal static class ExitCode
{
    /// <summary>It was asked to stop.</summary>
    public const int Stopped = 0;

    /// <summary>The command line, a setting or a rule file is wrong.</summary>
    public const int BadSettings = 1;

    /// <summary>The kernel refused something, or broke off, or the cluster went on without this node; another start may find it otherwise.</summary>
    public const int Failed = 2;
}
