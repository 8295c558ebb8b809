using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Table;

/// <summary>
/// Hashes a tuple and its inverse to the same number, keyed: an outsider who can choose tuples cannot choose the bucket, nor the shard.
/// SipHash-1-3 (Aumasson and Bernstein) over the two ends, the lower one first. Does not allocate.
/// </summary>
public readonly struct TupleHash
{
    private readonly ulong _k0;
    private readonly ulong _k1;

    /// <summary>A hash with a key of its own; all nodes of a cluster need the same 16 bytes.</summary>
    /// <exception cref="ArgumentException">The key is not 16 bytes.</exception>
    public TupleHash(ReadOnlySpan<byte> key)
    {
        if (key.Length != 16) throw new ArgumentException("the key of a tuple hash has 16 bytes", nameof(key));
        _k0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _k1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    /// <summary>A hash with a random key.</summary>
    public static TupleHash Random() => new(RandomNumberGenerator.GetBytes(16));

    /// <summary>Hashes a tuple, whichever its direction. Zones do not count: connections that differ in nothing else are few.</summary>
    public ulong Of(in FlowTuple tuple)
    {
        var isIcmp = tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        // The type of an ICMP query is not its answer's; the identifier alone stands for both ends.
        ulong sourcePort = tuple.SourcePort;
        ulong destinationPort = isIcmp ? tuple.SourcePort : tuple.DestinationPort;
        var tail = (ulong)tuple.Protocol << 8 | (byte)tuple.Family;

        var v0 = _k0 ^ 0x736f6d6570736575;
        var v1 = _k1 ^ 0x646f72616e646f6d;
        var v2 = _k0 ^ 0x6c7967656e657261;
        var v3 = _k1 ^ 0x7465646279746573;
        if (tuple.Family == IpFamily.IPv4)
        {
            var a = tuple.Source.Low << 16 | sourcePort;
            var b = tuple.Destination.Low << 16 | destinationPort;
            Absorb(ref v0, ref v1, ref v2, ref v3, Math.Min(a, b) | tail << 48);
            Absorb(ref v0, ref v1, ref v2, ref v3, Math.Max(a, b));
        }
        else
        {
            var sourceFirst = tuple.Source != tuple.Destination
                ? tuple.Source < tuple.Destination
                : sourcePort < destinationPort;
            var (first, second) = sourceFirst ? (tuple.Source, tuple.Destination) : (tuple.Destination, tuple.Source);
            var ports = sourceFirst ? sourcePort << 16 | destinationPort : destinationPort << 16 | sourcePort;
            Absorb(ref v0, ref v1, ref v2, ref v3, first.High);
            Absorb(ref v0, ref v1, ref v2, ref v3, first.Low);
            Absorb(ref v0, ref v1, ref v2, ref v3, second.High);
            Absorb(ref v0, ref v1, ref v2, ref v3, second.Low);
            Absorb(ref v0, ref v1, ref v2, ref v3, ports << 16 | tail);
        }
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Absorb(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3, ulong word)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v2 += v3;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
