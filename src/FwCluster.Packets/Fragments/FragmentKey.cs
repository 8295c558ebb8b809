using System.Runtime.InteropServices;

namespace FwCluster.Packets.Fragments;

/// <summary>Which datagram a fragment belongs to: the kernel's frag_v4_compare_key and frag_v6_compare_key.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly struct FragmentKey(IpAddress source, IpAddress destination, uint id, uint protocol, uint user, int interfaceIndex)
    : IEquatable<FragmentKey>
{
    private readonly IpAddress _source = source;
    private readonly IpAddress _destination = destination;
    private readonly uint _id = id;
    private readonly uint _protocol = protocol;
    private readonly uint _user = user;
    private readonly int _interfaceIndex = interfaceIndex;

    public bool Equals(FragmentKey other)
        => _source == other._source && _destination == other._destination && _id == other._id && _protocol == other._protocol
            && _user == other._user && _interfaceIndex == other._interfaceIndex;

    public override bool Equals(object? obj) => obj is FragmentKey other && Equals(other);

    /// <summary>
    /// The framework's hash for text: keyed at random for each process, and made so that nobody who chooses the input can choose the
    /// bucket. The senders of fragments choose every field here.
    /// </summary>
    public override int GetHashCode()
        => string.GetHashCode(MemoryMarshal.Cast<FragmentKey, char>(new ReadOnlySpan<FragmentKey>(in this)));
}
