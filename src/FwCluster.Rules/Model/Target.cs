using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Model;

/// <summary>What a rule does with a packet that all its matches match (<c>-j NAME ...</c>). Immutable.</summary>
public abstract class Target
{
    /// <summary>The name after <c>-j</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The name in the column of targets of <c>iptables -L</c>: the name, but for another name of one target.</summary>
    public virtual string ListedName => Name;

    /// <summary>True where it reads or changes the packet's connection: such a target runs when the connection is known.</summary>
    public virtual bool UsesConnection => false;

    /// <summary>Acts on the packet. Does not allocate.</summary>
    public abstract Verdict Apply(ref PacketContext packet);

    /// <summary>Writes the target's options as <c>iptables-save</c> prints them, without <c>-j NAME</c>.</summary>
    public virtual void Write(RuleWriter writer)
    {
    }

    /// <summary>Writes the target's options as <c>iptables -L -n</c> prints them at the end of a rule: <c> reject-with tcp-reset</c>.</summary>
    public virtual void List(ListingWriter writer)
    {
    }
}
