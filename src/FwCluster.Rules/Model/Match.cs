using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Model;

/// <summary>
/// One match of a rule (<c>-m NAME ...</c>): its parameters, immutable, and the question it asks of a packet. What a match remembers between
/// packets (limit, recent ...) lives in an object that it holds and that says so by <see cref="Remembers"/>.
/// </summary>
public abstract class Match
{
    /// <summary>The name after <c>-m</c>.</summary>
    public abstract string Name { get; }

    /// <summary>True where the answer depends on, or changes, what earlier packets left behind: such a match runs once a packet.</summary>
    public virtual bool Remembers => false;

    /// <summary>True where the answer depends on the packet's connection beyond its state: such a match runs when the connection is known.</summary>
    public virtual bool ReadsConnection => false;

    /// <summary>Does the packet match? Does not allocate. <paramref name="hotDrop"/>: the kernel drops the packet here and now, whatever the rule
    /// says (<c>xt_action_param.hotdrop</c>), e.g. a TCP header cut off under <c>-m tcp</c>.</summary>
    public abstract bool Matches(ref PacketContext packet, ref bool hotDrop);

    /// <summary>Writes the match as <c>iptables-save</c> prints it, without the <c>-m NAME</c>: <c>--dport 21</c>.</summary>
    public abstract void Write(RuleWriter writer);

    /// <summary>Writes the match as <c>iptables -L -n</c> prints it behind the addresses: <c> tcp dpt:21</c>.</summary>
    public abstract void List(ListingWriter writer);

    /// <summary>The match as one compiled ruleset runs it: itself, or, where it <see cref="Remembers"/>, a copy whose memory is of
    /// <paramref name="memory"/>.</summary>
    public virtual Match Bind(MatchMemory memory) => this;

    /// <summary>Tells what must hold of every packet that matches, so that a rule can be skipped unseen for others. Saying too little is
    /// slow, saying too much is wrong; saying nothing is always right.</summary>
    public virtual void Constrain(RuleConstraints constraints)
    {
    }
}
