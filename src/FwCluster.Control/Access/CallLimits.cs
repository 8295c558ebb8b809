using System.Threading.RateLimiting;

namespace FwCluster.Control.Access;

/// <summary>How much one caller may ask: calls a second, and streams at a time.</summary>
internal sealed class CallLimits(int callsPerSecond, int streams) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _calls = PartitionedRateLimiter.Create<string, string>(caller => RateLimitPartition.GetTokenBucketLimiter(
        caller, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = 2 * callsPerSecond,
            TokensPerPeriod = Math.Max(1, callsPerSecond / 10),
            ReplenishmentPeriod = TimeSpan.FromSeconds(callsPerSecond < 10 ? 1.0 / callsPerSecond : 0.1),
            AutoReplenishment = true,
            QueueLimit = 0,
        }));

    private readonly PartitionedRateLimiter<string> _streams = PartitionedRateLimiter.Create<string, string>(caller => RateLimitPartition.GetConcurrencyLimiter(
        caller, _ => new ConcurrencyLimiterOptions { PermitLimit = streams, QueueLimit = 0 }));

    /// <summary>True where the caller may call now.</summary>
    public bool TryCall(string caller)
    {
        using var lease = _calls.AttemptAcquire(caller);
        return lease.IsAcquired;
    }

    /// <summary>Takes one of the caller's streams; give it back by disposing. Null where none is left.</summary>
    public IDisposable? TryStream(string caller)
    {
        var lease = _streams.AttemptAcquire(caller);
        if (lease.IsAcquired) return lease;
        lease.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _calls.Dispose();
        _streams.Dispose();
    }
}
