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

    /// <summary>Whether something is logged. What the server of the state's socket has to say is not this daemon's, unless it is wrong.</summary>
    public bool Lets(string? category, LogLevel level)
        => level >= _level && (level >= LogLevel.Warning || category?.StartsWith("Microsoft", StringComparison.Ordinal) != true);
}
