using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>One limit: a token bucket or a measured rate (<c>struct dsthash_ent</c>, rateinfo). Arithmetic as the kernel's, overflows
/// included.</summary>
internal struct HashLimitBucket
{
    // CREDITS_PER_JIFFY, CREDITS_PER_JIFFY_BYTES: powers of two that let the slowest rate fit 64 and 32 bits.
    private const ulong CreditsPerJiffy = 1UL << 39;
    private const ulong ByteCreditsPerJiffy = 1UL << 24;
    private const ulong ByteCap = ByteCreditsPerJiffy * Jiffies.Hz;

    /// <summary>When it is forgotten, jiffies.</summary>
    public ulong Expires;

    private ulong _previous;

    // Bucket: what is in it, what fits, what a packet (or sixteen bytes) takes.
    private ulong _credit;
    private ulong _cap;
    private ulong _cost;

    // Measured rate: so far in this interval, allowed, and whether the interval before was above.
    private ulong _current;
    private ulong _rate;
    private ulong _burst;
    private bool _wasAbove;

    /// <summary>A new limit (<c>rateinfo_init</c>).</summary>
    public static HashLimitBucket Full(HashLimitSettings settings, ulong now, ulong expires)
    {
        var bucket = new HashLimitBucket { Expires = expires, _previous = now };
        if (settings.MatchesRate)
        {
            bucket._rate = settings.OfBytes
                ? HashLimitSettings.CostToBytes((uint)settings.Average)
                : PacketRate.HashLimitScale / settings.Average;
            bucket._burst = !settings.OfBytes ? settings.Burst + bucket._rate
                : settings.Burst == 0 ? bucket._rate : settings.Burst * bucket._rate;
        }
        else if (settings.OfBytes)
        {
            bucket._credit = ByteCap;
            bucket._cost = ByteCost(settings.Average);
            bucket._cap = settings.Burst;
        }
        else
        {
            bucket._credit = bucket._cap = Credits(unchecked(settings.Average * settings.Burst));
            bucket._cost = Credits(settings.Average);
        }
        return bucket;
    }

    /// <summary>What a packet takes (<c>user2credits</c>).</summary>
    public static ulong Credits(ulong period) => unchecked(period * (Jiffies.Hz * CreditsPerJiffy / PacketRate.HashLimitScale));

    /// <summary>What sixteen bytes take (<c>user2credits_byte</c>).</summary>
    public static uint ByteCost(ulong average) => (uint)((uint)average * ByteCap >> 32);

    /// <summary>Adds what time has brought (<c>rateinfo_recalc</c>).</summary>
    public void Refill(HashLimitSettings settings, ulong now)
    {
        var elapsed = now - _previous;
        if (elapsed == 0) return;
        if (settings.MatchesRate)
        {
            var interval = settings.Interval * Jiffies.Hz;
            if (elapsed < interval) return;
            _previous = now;
            _wasAbove = unchecked(_current * interval > elapsed * _rate);
            _current = 0;
            return;
        }
        _previous = now;
        var before = _credit;
        _credit = unchecked(_credit + elapsed * (settings.OfBytes ? ByteCreditsPerJiffy : CreditsPerJiffy));
        if (settings.OfBytes && before >= _credit) _credit = ByteCap;
        _credit = Math.Min(_credit, settings.OfBytes ? ByteCap : _cap);
    }

    /// <summary>Is the packet within the limit? It then counts (<c>hashlimit_mt_common</c>).</summary>
    /// <param name="rule">The rule's own settings.</param>
    /// <param name="length">Bytes of the packet.</param>
    public bool Take(HashLimitSettings rule, int length)
    {
        if (rule.MatchesRate)
        {
            _current += rule.OfBytes ? (ulong)length : 1;
            return !_wasAbove && _current <= _burst;
        }
        var cost = rule.OfBytes ? CostOf(length) : _cost;
        if (_credit < cost) return false;
        _credit -= cost;
        return true;
    }

    // A limit of bytes that runs out is filled again as many times as its burst says (hashlimit_byte_cost).
    private ulong CostOf(int length)
    {
        var cost = Math.Min(HashLimitSettings.Chunks(length) * _cost, ByteCap);
        if (_credit < cost && _cap != 0)
        {
            _cap--;
            _credit = ByteCap;
        }
        return cost;
    }
}
