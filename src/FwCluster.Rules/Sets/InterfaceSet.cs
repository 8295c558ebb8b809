using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>hash:net,iface: networks together with interfaces. The longest network that the packet falls under decides, whichever interfaces
/// it has; only where all that fit are past their timeout do shorter ones.</summary>
internal sealed class InterfaceSet : IpSet
{
    private readonly Dictionary<(IpAddress Address, int Prefix), InterfaceElement[]> _networks;
    private readonly int[] _prefixes;

    /// <summary>Makes a set.</summary>
    public InterfaceSet(string name, IpFamily family, Dictionary<(IpAddress Address, int Prefix), InterfaceElement[]> networks)
        : base(name, "hash:net,iface", family, 2, knowsNomatch: true)
    {
        _networks = networks;
        _prefixes = [.. networks.Keys.Select(k => k.Prefix).Distinct().OrderDescending()];
    }

    /// <inheritdoc/>
    public override int Count => _networks.Values.Sum(n => n.Length);

    /// <inheritdoc/>
    protected override SetAnswer Test(ref PacketContext packet, in SetQuestion question)
    {
        ref readonly var headers = ref packet.Headers;
        var address = question.IsSource(0) ? headers.Source : headers.Destination;
        var name = question.IsSource(1) ? packet.In : packet.Out;
        if (name.IsEmpty) return SetAnswer.None;
        foreach (var prefix in _prefixes)
        {
            if (!_networks.TryGetValue((address.And(IpAddress.PrefixMask(Family, prefix)), prefix), out var elements)) continue;
            var isDecided = false;
            foreach (ref readonly var element in elements.AsSpan())
            {
                isDecided = true;
                if (!element.Covers(name)) continue;
                if (element.Element.Lives(in question)) return element.Element.Answer;
                isDecided = false;
            }
            if (isDecided) break;
        }
        return SetAnswer.None;
    }
}

/// <summary>An interface of a network.</summary>
/// <param name="Interface">Its name, or the beginning of names.</param>
/// <param name="Mask">Which bytes of a name are compared.</param>
/// <param name="IsPhysical">A port of a bridge (<c>physdev:</c>), which rules without <c>--physdev</c> do not ask for.</param>
/// <param name="Element">What is said of it.</param>
internal readonly record struct InterfaceElement(InterfaceName Interface, UInt128 Mask, bool IsPhysical, SetElement Element)
{
    /// <summary>Does the name fall under it?</summary>
    public bool Covers(InterfaceName name) => !IsPhysical && ((name.Value ^ Interface.Value) & Mask) == UInt128.Zero;
}
