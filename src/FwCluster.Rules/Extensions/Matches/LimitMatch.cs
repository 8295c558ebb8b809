using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m limit</c>: a token bucket (<c>limit_mt</c> in xt_limit.c). In 32 bits, overflows included, as the kernel has it.</summary>
public sealed class LimitMatch : Match
{
    /// <summary>What <c>--limit-burst</c> is where it is not given.</summary>
    public const uint DefaultBurst = 5;

    // CREDITS_PER_JIFFY: the power of two that lets a day's cost just fit 32 bits.
    private const uint CreditsPerJiffy = 128;
    private const uint CreditsPerSecond = (uint)Jiffies.Hz * CreditsPerJiffy;

    // Immutable.
    private readonly uint _period;
    private readonly uint _burst;
    private readonly uint _cost;
    private readonly uint _cap;

    // Mutable, owned by the worker.
    private uint _credit;
    private ulong _previous;

    /// <summary>Makes a full bucket.</summary>
    /// <param name="period">Time between packets, in <see cref="PacketRate.LimitScale"/>ths of a second.</param>
    /// <param name="burst">Packets that a full bucket lets through.</param>
    public LimitMatch(uint period, uint burst)
    {
        _period = period;
        _burst = burst;
        _cost = Credits(period);
        _credit = _cap = Credits(unchecked(period * burst));
    }

    /// <inheritdoc/>
    public override string Name => "limit";

    /// <inheritdoc/>
    public override bool Remembers => true;

    /// <summary>True where the kernel refuses the numbers (<c>limit_mt_check</c>).</summary>
    internal bool Overflows => _burst == 0 || _cap < _cost;

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        var now = Jiffies.At(packet.Now);
        // A full bucket has nothing to gain, so it does not matter that the first packet's "before" is long ago.
        if (_previous != 0) _credit = Math.Min(_cap, unchecked(_credit + (uint)((now - _previous) * CreditsPerJiffy)));
        _previous = now;
        if (_credit < _cost) return false;
        _credit -= _cost;
        return true;
    }

    /// <inheritdoc/>
    public override Match Bind(MatchMemory memory) => new LimitMatch(_period, _burst);

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        writer.Word("--limit").Word(PacketRate.Text(_period, PacketRate.LimitScale, out _));
        if (_burst != DefaultBurst) writer.Word("--limit-burst").Number(_burst);
    }

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
        => writer.Words($"limit: avg {PacketRate.Text(_period, PacketRate.LimitScale, out _)} burst {_burst}");

    // Divides first where multiplying first would overflow (user2credits).
    private static uint Credits(uint period) => period > uint.MaxValue / CreditsPerSecond
        ? unchecked((uint)(period / PacketRate.LimitScale) * CreditsPerSecond)
        : (uint)(period * CreditsPerSecond / PacketRate.LimitScale);
}
