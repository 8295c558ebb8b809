using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>list:set: sets, asked in order.</summary>
/// <param name="name">Its name.</param>
/// <param name="members">Its members.</param>
internal sealed class ListSet(string name, (IpSet Set, SetElement Element)[] members) : IpSet(name, "list:set", IpFamily.None, 1, false)
{
    /// <inheritdoc/>
    public override int Count => members.Length;

    /// <inheritdoc/>
    protected override SetAnswer Test(ref PacketContext packet, in SetQuestion question)
    {
        foreach (var (set, element) in members)
        {
            if (set.Contains(ref packet, in question) && element.Lives(in question)) return SetAnswer.Match;
        }
        return SetAnswer.None;
    }
}
