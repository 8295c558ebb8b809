using System.Buffers.Binary;

namespace FwCluster.Packets;

/// <summary>
/// The TCP options that tracking and rules ask for, read as the kernel's conntrack reads them (<c>tcp_options</c> and
/// <c>tcp_sack</c> in nf_conntrack_proto_tcp.c): a silly length ends the walk. Does not allocate.
/// </summary>
public static class TcpOptions
{
    private const byte EndOfList = 0;
    private const byte NoOperation = 1;
    private const byte MaximumSegmentSizeKind = 2;
    private const byte WindowScaleKind = 3;
    private const byte SackPermittedKind = 4;
    private const byte SackKind = 5;

    private const int MaximumSegmentSizeBytes = 4;
    private const int WindowScaleBytes = 3;
    private const int SackPermittedBytes = 2;
    private const int SackBlockBytes = 8;
    private const int MaximumWindowScale = 14;

    /// <summary>The window scale option's shift count, capped at 14 (RFC 7323 section 2.3), or -1 where there is none; and whether SACK
    /// is permitted.</summary>
    /// <param name="options">The bytes between the fixed header and the payload.</param>
    /// <param name="sackPermitted">True where the option is there.</param>
    public static int WindowScale(ReadOnlySpan<byte> options, out bool sackPermitted)
    {
        var scale = -1;
        sackPermitted = false;
        while (TryTake(ref options, out var option))
        {
            if (option[0] == SackPermittedKind && option.Length == SackPermittedBytes)
                sackPermitted = true;
            else if (option[0] == WindowScaleKind && option.Length == WindowScaleBytes)
                scale = Math.Min((int)option[2], MaximumWindowScale);
        }
        return scale;
    }

    /// <summary>The highest right edge of the SACK blocks, where one lies after <paramref name="acknowledgment"/> in sequence space;
    /// else <paramref name="acknowledgment"/>.</summary>
    public static uint HighestSack(ReadOnlySpan<byte> options, uint acknowledgment)
    {
        var highest = acknowledgment;
        while (TryTake(ref options, out var option))
        {
            if (option[0] != SackKind || option.Length < 2 + SackBlockBytes || (option.Length - 2) % SackBlockBytes != 0) continue;
            for (var blocks = option[2..]; !blocks.IsEmpty; blocks = blocks[SackBlockBytes..])
            {
                var rightEdge = BinaryPrimitives.ReadUInt32BigEndian(blocks[4..]);
                if ((int)(rightEdge - highest) > 0) highest = rightEdge;
            }
            break; // The first SACK option is the one that counts.
        }
        return highest;
    }

    /// <summary>The MSS option's value (RFC 9293 section 3.7.1), or -1. Read as xt_tcpmss does, which walks on
    /// behind the end of the list.</summary>
    public static int MaximumSegmentSize(ReadOnlySpan<byte> options)
    {
        for (; !options.IsEmpty; options = Skip(options))
        {
            if (options[0] == MaximumSegmentSizeKind && options.Length >= MaximumSegmentSizeBytes && options[1] == MaximumSegmentSizeBytes)
                return BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
        }
        return -1;
    }

    /// <summary>True where an option of this kind is there, read as xt_tcpudp's <c>tcp_find_option</c>.</summary>
    public static bool Contains(ReadOnlySpan<byte> options, byte kind)
    {
        for (; !options.IsEmpty; options = Skip(options))
        {
            if (options[0] == kind) return true;
        }
        return false;
    }

    /// <summary>Takes the next option off the list; false at its end, or where an option's length is none.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> options, out ReadOnlySpan<byte> option)
    {
        option = default;
        while (!options.IsEmpty && options[0] == NoOperation) options = options[1..];
        if (options.Length < 2 || options[0] == EndOfList) return false;
        var length = options[1];
        if (length < 2 || length > options.Length) return false;
        option = options[..length];
        options = options[length..];
        return true;
    }

    /// <summary>The walk of the matches: the end of the list is an option of one byte, a length of zero counts as one.</summary>
    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> options)
    {
        var length = options[0] <= NoOperation || options.Length == 1 ? 1 : Math.Max((int)options[1], 1);
        return length >= options.Length ? default : options[length..];
    }
}
