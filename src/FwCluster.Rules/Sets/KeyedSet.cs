using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>hash:ip, hash:net, hash:ip,port, hash:net,port, hash:ip,port,ip and bitmap:ip: elements found by their key. A network is
/// looked for by each length that the set has, the longest first.</summary>
internal sealed class KeyedSet : IpSet
{
    private readonly KeyShape _shape;
    private readonly IpAddress _mask;
    private readonly Dictionary<SetKey, SetElement> _elements;
    private readonly int[] _prefixes;
    private readonly IpAddress[] _prefixMasks;

    /// <summary>Makes a set.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its type.</param>
    /// <param name="family">Whose addresses.</param>
    /// <param name="shape">What makes a key.</param>
    /// <param name="netmask">Length of the prefix by which addresses are the same (<c>netmask</c>); all of the address for none.</param>
    /// <param name="elements">Its elements.</param>
    public KeyedSet(string name, string type, IpFamily family, KeyShape shape, int netmask, Dictionary<SetKey, SetElement> elements)
        : base(name, type, family, shape.Dimensions(), (shape & KeyShape.Network) != 0)
    {
        _shape = shape;
        _mask = IpAddress.PrefixMask(family, netmask);
        _elements = elements;
        _prefixes = (shape & KeyShape.Network) == 0
            ? [family.AddressBits()]
            : [.. elements.Keys.Select(k => (int)k.Prefix).Distinct().OrderDescending()];
        _prefixMasks = [.. _prefixes.Select(p => IpAddress.PrefixMask(family, p))];
    }

    /// <inheritdoc/>
    public override int Count => _elements.Count;

    /// <inheritdoc/>
    protected override SetAnswer Test(ref PacketContext packet, in SetQuestion question)
    {
        ref readonly var headers = ref packet.Headers;
        var key = new SetKey { Address = Side(in headers, in question, 0).And(_mask) };
        // hash:ip cannot hold the address of zeroes.
        if (_shape == KeyShape.Address && key.Address == default && Type != "bitmap:ip") return SetAnswer.None;
        if ((_shape & KeyShape.Port) != 0)
        {
            if (!SetPort.TryRead(ref packet, question.IsSource(1), out key.Port)) return SetAnswer.None;
            key.Protocol = headers.Protocol;
        }
        if ((_shape & KeyShape.SecondAddress) != 0) key.Second = Side(in headers, in question, 2);
        for (var p = 0; p < _prefixes.Length; p++)
        {
            key.Address = key.Address.And(_prefixMasks[p]);
            key.Prefix = (byte)_prefixes[p];
            if (_elements.TryGetValue(key, out var element) && element.Lives(in question)) return element.Answer;
        }
        return SetAnswer.None;
    }

    private static IpAddress Side(in PacketHeaders headers, in SetQuestion question, int part)
        => question.IsSource(part) ? headers.Source : headers.Destination;
}

/// <summary>What makes the key of an element.</summary>
[Flags]
internal enum KeyShape : byte
{
    /// <summary>An address, which all have.</summary>
    Address = 0,

    /// <summary>The address is a network.</summary>
    Network = 1,

    /// <summary>A protocol and a port.</summary>
    Port = 2,

    /// <summary>A second address.</summary>
    SecondAddress = 4,
}

/// <summary>What follows from a shape.</summary>
internal static class KeyShapeExtensions
{
    /// <summary>How many parts of a packet make the key.</summary>
    public static int Dimensions(this KeyShape shape)
        => 1 + ((shape & KeyShape.Port) != 0 ? 1 : 0) + ((shape & KeyShape.SecondAddress) != 0 ? 1 : 0);
}

/// <summary>The key of an element; what its set's type does not have is zero.</summary>
internal record struct SetKey
{
    public IpAddress Address;
    public IpAddress Second;
    public ushort Port;
    public byte Protocol;
    public byte Prefix;
}
