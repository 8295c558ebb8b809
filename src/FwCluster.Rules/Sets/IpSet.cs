using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>A set of one of ipset's types. Immutable.</summary>
/// <param name="name">Its name.</param>
/// <param name="type">Its type, as <c>create</c> names it.</param>
/// <param name="family">Whose addresses it holds; <see cref="IpFamily.None"/> where it holds none.</param>
/// <param name="dimensions">How many of a packet's parts it is asked by: the least number of src and dst words of a rule.</param>
/// <param name="knowsNomatch">Elements may be exceptions (<c>nomatch</c>).</param>
public abstract class IpSet(string name, string type, IpFamily family, int dimensions, bool knowsNomatch)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Its type, <c>hash:ip</c> and so on.</summary>
    public string Type => type;

    /// <summary>Whose addresses it holds; <see cref="IpFamily.None"/> where it holds none.</summary>
    public IpFamily Family => family;

    /// <summary>How many of a packet's parts it is asked by.</summary>
    public int Dimensions => dimensions;

    /// <summary>How many elements it has.</summary>
    public abstract int Count { get; }

    /// <summary>Is the packet in it (<c>ip_set_test</c>)? Does not allocate.</summary>
    public bool Contains(ref PacketContext packet, in SetQuestion question)
    {
        if (question.Dimensions < dimensions || family != IpFamily.None && family != packet.Headers.Family) return false;
        var answer = Test(ref packet, in question);
        return answer == (question.ReturnsNomatch && knowsNomatch ? SetAnswer.Nomatch : SetAnswer.Match);
    }

    /// <summary>Finds the element that the packet falls under.</summary>
    protected abstract SetAnswer Test(ref PacketContext packet, in SetQuestion question);
}

/// <summary>What a set says of a packet.</summary>
public enum SetAnswer : byte
{
    /// <summary>No element has it.</summary>
    None,

    /// <summary>An element has it.</summary>
    Match,

    /// <summary>An element that is an exception has it.</summary>
    Nomatch,
}

/// <summary>What a rule asks a set.</summary>
/// <param name="Dimensions">How many parts of the packet.</param>
/// <param name="SourceBits">Bit n is set where part n, from 0, is the source's.</param>
/// <param name="ReturnsNomatch">Exceptions are asked for (<c>--return-nomatch</c>).</param>
/// <param name="Elapsed">Nanoseconds since the set's timeouts began.</param>
public readonly record struct SetQuestion(int Dimensions, byte SourceBits, bool ReturnsNomatch, long Elapsed)
{
    /// <summary>Is part <paramref name="n"/>, from 0, the source's?</summary>
    public bool IsSource(int n) => (SourceBits >> n & 1) != 0;
}

/// <summary>What is said of an element.</summary>
/// <param name="Timeout">How long it lives, nanoseconds.</param>
/// <param name="IsNomatch">It is an exception.</param>
public readonly record struct SetElement(long Timeout, bool IsNomatch)
{
    /// <summary>The timeout of what lives for ever.</summary>
    public const long Forever = long.MaxValue;

    /// <summary>Does it live still?</summary>
    public bool Lives(in SetQuestion question) => question.Elapsed <= Timeout;

    /// <summary>What it answers.</summary>
    public SetAnswer Answer => IsNomatch ? SetAnswer.Nomatch : SetAnswer.Match;
}
