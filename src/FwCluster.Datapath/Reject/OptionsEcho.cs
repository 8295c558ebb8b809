using System.Buffers.Binary;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Reject;

/// <summary>
/// The IP options of a packet that an ICMP error carries back: record route and timestamp (<c>__ip_options_echo</c>,
/// <c>ip_options_build</c>). Source routes are not among them: hosts do not take source-routed packets unless told to
/// (<c>accept_source_route</c>). A timestamp option with the addresses written into it beforehand is carried back as it came.
/// </summary>
internal static class OptionsEcho
{
    /// <summary>A header has room for so many bytes of options.</summary>
    public const int MaxBytes = 40;

    private const byte End = 0;
    private const byte NoOperation = 1;
    private const byte RecordRoute = 7;
    private const byte Timestamp = 68;
    private const int AddressBytes = 4;
    private const int FirstTimestampPointer = 5;

    /// <summary>How a timestamp option is filled in (RFC 791 section 3.1).</summary>
    private enum TimestampKind
    {
        TimeOnly = 0,
        TimeAndAddress = 1,
        Prespecified = 3,
    }

    /// <summary>Writes the options to carry back, padded to a multiple of four bytes.</summary>
    /// <param name="packet">The packet, after the host's input has filled its own place in the options.</param>
    /// <param name="source">The address of this host that goes into the next place.</param>
    /// <param name="options">Where they go, <see cref="MaxBytes"/> bytes.</param>
    /// <param name="length">Bytes written.</param>
    /// <returns>False where an option has no room for what must go in: then the kernel does not answer.</returns>
    public static bool TryWrite(in PacketContext packet, IpAddress source, Span<byte> options, out int length)
    {
        length = 0;
        var headerBytes = packet.Packet.IsEmpty ? 0 : (packet.Packet[0] & 0xf) * 4;
        if (headerBytes <= AnswerHeader.IPv4Bytes || packet.Packet.Length < headerBytes) return true;
        var sent = packet.Packet[AnswerHeader.IPv4Bytes..headerBytes];
        if (!TryEchoRoute(Find(sent, RecordRoute), source, options, ref length)) return false;
        if (!TryEchoTime(Find(sent, Timestamp), in packet, source, options, ref length)) return false;
        while ((length & 3) != 0) options[length++] = End;
        return true;
    }

    /// <summary>The option of a type, from its type byte on; empty where there is none or it lies about its length.</summary>
    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> options, byte type)
    {
        while (!options.IsEmpty && options[0] != End)
        {
            if (options[0] == NoOperation)
            {
                options = options[1..];
                continue;
            }
            if (options.Length < 2 || options[1] < 2 || options[1] > options.Length) return default;
            if (options[0] == type) return options[1] < 4 ? default : options[..options[1]];
            options = options[options[1]..];
        }
        return default;
    }

    private static bool TryEchoRoute(ReadOnlySpan<byte> sent, IpAddress source, Span<byte> options, ref int length)
    {
        if (sent.IsEmpty) return true;
        var echo = options.Slice(length, sent.Length);
        sent.CopyTo(echo);
        length += sent.Length;
        var pointer = sent[2];
        if (pointer > sent.Length) return true;
        if (pointer + 3 > sent.Length) return false;
        source.Write(IpFamily.IPv4, echo[(pointer - 1)..]);
        echo[2] = (byte)(pointer + AddressBytes);
        return true;
    }

    private static bool TryEchoTime(
        ReadOnlySpan<byte> sent, in PacketContext packet, IpAddress source, Span<byte> options, ref int length)
    {
        if (sent.IsEmpty) return true;
        var echo = options.Slice(length, sent.Length);
        sent.CopyTo(echo);
        length += sent.Length;
        int pointer = sent[2];
        if (pointer < FirstTimestampPointer || pointer > sent.Length) return true;
        switch ((TimestampKind)(sent[3] & 0xf))
        {
            case TimestampKind.TimeOnly:
                if (pointer + 3 > sent.Length) return false;
                WriteTime(echo[(pointer - 1)..], packet.Now);
                pointer += 4;
                break;
            case TimestampKind.TimeAndAddress:
                if (pointer + 7 > sent.Length) return false;
                source.Write(IpFamily.IPv4, echo[(pointer - 1)..]);
                WriteTime(echo[(pointer + 3)..], packet.Now);
                pointer += 8;
                break;
        }
        echo[2] = (byte)pointer;
        return true;
    }

    /// <summary>Milliseconds since midnight UT.</summary>
    private static void WriteTime(Span<byte> field, long now)
        => BinaryPrimitives.WriteUInt32BigEndian(field, (uint)(now / 1_000_000 % 86_400_000));
}
