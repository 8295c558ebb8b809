using Microsoft.Extensions.Logging;

namespace FwCluster.Node;

/// <summary>What is logged, which may change while the daemon runs.</summary>
internal sealed class LogSwitch(LogLevel level)
{
    private volatile LogLevel _level = level;

    /// <summary>The least level that is logged.</summary>
    public LogLevel Level
    {
        get => _level;
        set => _level = value;
    }

    /// <summary>Whether something is logged. What the server of the state's socket and the cluster's actors have to say is not
    /// this daemon's, unless something is wrong, or everything is asked for.</summary>
    public bool Lets(string? category, LogLevel level)
        => level >= _level && (level >= LogLevel.Warning || _level == LogLevel.Trace || category is null
            || !category.StartsWith("Microsoft", StringComparison.Ordinal) && !category.StartsWith("Akka", StringComparison.Ordinal));
}
