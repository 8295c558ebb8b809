using FwCluster.Packets;

namespace FwCluster.Datapath.Reject;

/// <summary>
/// The kernel's limits on ICMP errors that "destination unreachable" falls under (<c>icmp_global_allow</c>,
/// <c>inet_peer_xrlim_allow</c>): one bucket for all hosts, and one for each host. Not thread-safe: each worker has its own, with its
/// share of the rate. Does not allocate once made.
/// </summary>
/// <remarks>The hosts' buckets are a table of fixed size; of two hosts that fall into the same place the later one begins afresh.
/// That lets a few more through, as the kernel's forgetting of idle peers does, never above the limit for all.</remarks>
public sealed class IcmpRateLimit
{
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>XRLIM_BURST_FACTOR: so many errors at once to one host.</summary>
    private const int HostBurst = 6;

    /// <summary>The bucket for all is filled up no more often than this (HZ / 50).</summary>
    private const long RefillInterval = 20 * NanosecondsPerMillisecond;

    private readonly IcmpRateSettings _settings;
    private readonly Random _random;
    private readonly Host[] _hosts;
    private int _credit;
    private long _refilled = long.MinValue / 2;

    /// <summary>Makes the buckets, full.</summary>
    /// <param name="settings">The rates; null for the kernel's defaults.</param>
    /// <param name="hosts">How many hosts are remembered; a power of two.</param>
    /// <param name="random">How much of the bucket for all an error takes: 0, 1 or 2, so that nobody can count from outside how many were
    /// sent to others (<c>icmp_global_consume</c>). Null for the process's.</param>
    public IcmpRateLimit(IcmpRateSettings? settings = null, int hosts = 4096, Random? random = null)
    {
        if (!System.Numerics.BitOperations.IsPow2(hosts)) throw new ArgumentOutOfRangeException(nameof(hosts), hosts, "not a power of two");
        _settings = settings ?? new IcmpRateSettings();
        _random = random ?? Random.Shared;
        _hosts = new Host[hosts];
    }

    /// <summary>Errors that were not sent because of the limit for all (ICMP_MIB_RATELIMITGLOBAL).</summary>
    public long LimitedForAll { get; private set; }

    /// <summary>Errors that were not sent because of the limit for one host (ICMP_MIB_RATELIMITHOST).</summary>
    public long LimitedForHost { get; private set; }

    /// <summary>Whether one more error may go to a host; if so, it is counted. (Over the loopback interface there is no limit: do not
    /// ask.)</summary>
    /// <param name="family">The family of the error.</param>
    /// <param name="host">To whom it goes.</param>
    /// <param name="now">Nanoseconds since any fixed moment; never goes back.</param>
    public bool Allow(IpFamily family, IpAddress host, long now)
    {
        if (!HasCredit(now))
        {
            LimitedForAll++;
            return false;
        }
        // Before Linux 6.18, IPv6 halved the wait for each 32 bits that the route's prefix was short of 128.
        var wait = (family == IpFamily.IPv4 ? _settings.IPv4Milliseconds : _settings.IPv6Milliseconds) * NanosecondsPerMillisecond;
        if (!_hosts[Place(family, host)].Take(family, host, wait, now))
        {
            LimitedForHost++;
            return false;
        }
        _credit -= _random.Next(3);
        return true;
    }

    private bool HasCredit(long now)
    {
        if (_credit > 0) return true;
        var passed = Math.Min(now - _refilled, NanosecondsPerSecond);
        if (passed < RefillInterval) return false;
        var added = (int)(_settings.MessagesPerSecond * passed / NanosecondsPerSecond);
        if (added == 0) return false;
        _credit = Math.Min(_credit + added, _settings.MessagesBurst);
        _refilled = now;
        return true;
    }

    private int Place(IpFamily family, IpAddress host) => HashCode.Combine(family, host) & (_hosts.Length - 1);

    private struct Host
    {
        private IpAddress _address;
        private IpFamily _family;
        private long _tokens;
        private long _last;

        public bool Take(IpFamily family, IpAddress address, long wait, long now)
        {
            var most = HostBurst * wait;
            if (_family != family || _address != address) (_family, _address, _tokens, _last) = (family, address, most, now);
            _tokens = Math.Min(_tokens + now - _last, most);
            _last = now;
            if (_tokens < wait) return false;
            _tokens -= wait;
            return true;
        }
    }
}
