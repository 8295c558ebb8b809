using System.Buffers.Binary;
using System.Text;

namespace FwCluster.Capture.Tests;

/// <summary>Writes captures byte by byte, in either byte order, so that tests say exactly what is in them.</summary>
internal sealed class CaptureBuilder(bool bigEndian)
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => [.. _bytes];

    public int Length => _bytes.Count;

    public CaptureBuilder U8(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public CaptureBuilder U16(ushort value)
    {
        Span<byte> b = stackalloc byte[2];
        if (bigEndian) BinaryPrimitives.WriteUInt16BigEndian(b, value);
        else BinaryPrimitives.WriteUInt16LittleEndian(b, value);
        return U8(b);
    }

    public CaptureBuilder U32(uint value)
    {
        Span<byte> b = stackalloc byte[4];
        if (bigEndian) BinaryPrimitives.WriteUInt32BigEndian(b, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(b, value);
        return U8(b);
    }

    public CaptureBuilder PcapHeader(uint link = 1, bool nanoseconds = false, uint snapLength = 65535)
        => U32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).U16(2).U16(4).U32(0).U32(0).U32(snapLength).U32(link);

    public CaptureBuilder PcapPacket(uint seconds, uint fraction, ReadOnlySpan<byte> data, uint? wireLength = null)
        => U32(seconds).U32(fraction).U32((uint)data.Length).U32(wireLength ?? (uint)data.Length).U8(data);

    public CaptureBuilder Section() => U32(0x0a0d0d0a).U32(28).U32(0x1a2b3c4d).U16(1).U16(0).U32(uint.MaxValue).U32(uint.MaxValue).U32(28);

    public CaptureBuilder Interface(ushort link = 1, string? name = null, byte? resolution = null, uint snapLength = 0)
    {
        var options = new CaptureBuilder(bigEndian);
        if (name is not null) options.Option(2, Encoding.UTF8.GetBytes(name));
        if (resolution is { } r) options.Option(9, [r]);
        if (options.Length > 0) options.U32(0);
        var length = (uint)(20 + options.Length);
        return U32(1).U32(length).U16(link).U16(0).U32(snapLength).U8(options.ToArray()).U32(length);
    }

    public CaptureBuilder Packet(uint id, ulong ticks, ReadOnlySpan<byte> data, uint? wireLength = null, string? comment = null)
    {
        var options = new CaptureBuilder(bigEndian);
        if (comment is not null) options.Option(1, Encoding.UTF8.GetBytes(comment)).U32(0);
        var length = (uint)(32 + Padded(data.Length) + options.Length);
        return U32(6).U32(length).U32(id).U32((uint)(ticks >> 32)).U32((uint)ticks).U32((uint)data.Length)
            .U32(wireLength ?? (uint)data.Length).U8(data).Pad(data.Length).U8(options.ToArray()).U32(length);
    }

    public CaptureBuilder SimplePacket(ReadOnlySpan<byte> data)
    {
        var length = (uint)(16 + Padded(data.Length));
        return U32(3).U32(length).U32((uint)data.Length).U8(data).Pad(data.Length).U32(length);
    }

    public CaptureBuilder OldPacket(ushort id, ulong ticks, ReadOnlySpan<byte> data)
    {
        var length = (uint)(32 + Padded(data.Length));
        return U32(2).U32(length).U16(id).U16(0).U32((uint)(ticks >> 32)).U32((uint)ticks).U32((uint)data.Length)
            .U32((uint)data.Length).U8(data).Pad(data.Length).U32(length);
    }

    public CaptureBuilder Block(uint type, ReadOnlySpan<byte> body)
    {
        var length = (uint)(12 + Padded(body.Length));
        return U32(type).U32(length).U8(body).Pad(body.Length).U32(length);
    }

    private CaptureBuilder Option(ushort code, ReadOnlySpan<byte> value) => U16(code).U16((ushort)value.Length).U8(value).Pad(value.Length);

    private CaptureBuilder Pad(int length) => U8(new byte[Padded(length) - length]);

    private static int Padded(int length) => (length + 3) & ~3;
}
