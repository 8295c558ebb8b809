using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FwCluster.Capture.Netlink;

/// <summary>Writes one netlink message into a buffer that has room for it. Netlink's own fields are in the host's byte order; the
/// values of netfilter's attributes are big-endian.</summary>
internal ref struct NetlinkMessage
{
    /// <summary>struct nlmsghdr.</summary>
    public const int HeaderBytes = 16;

    /// <summary>struct nlmsghdr and struct nfgenmsg.</summary>
    public const int NetfilterHeaderBytes = 20;

    /// <summary>struct nlattr.</summary>
    public const int AttributeHeaderBytes = 4;

    public const ushort Request = 1;
    public const ushort Acknowledge = 4;
    public const ushort Dump = 0x300;
    public const ushort DumpInterrupted = 0x10;
    public const ushort Error = 2;
    public const ushort Done = 3;

    private readonly Span<byte> _buffer;

    /// <summary>Begins a message.</summary>
    public NetlinkMessage(Span<byte> buffer, ushort type, ushort flags, uint sequence = 0)
    {
        _buffer = buffer;
        buffer[..HeaderBytes].Clear();
        MemoryMarshal.Write(buffer[4..], type);
        MemoryMarshal.Write(buffer[6..], flags);
        MemoryMarshal.Write(buffer[8..], sequence);
        Length = HeaderBytes;
    }

    /// <summary>Bytes so far, a multiple of 4.</summary>
    public int Length { get; private set; }

    /// <summary>Appends struct nfgenmsg.</summary>
    public void AddNetfilterHeader(byte family, ushort resource)
    {
        _buffer[Length] = family;
        _buffer[Length + 1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[(Length + 2)..], resource);
        Length += 4;
    }

    /// <summary>Appends zeros, such as a fixed header of which nothing is asked.</summary>
    public void AddZeros(int count)
    {
        _buffer.Slice(Length, count).Clear();
        Length += count;
    }

    /// <summary>Appends an attribute of 32 bits.</summary>
    public void Add(ushort type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Attribute(type, 4), value);

    /// <summary>Appends an attribute.</summary>
    public void Add(ushort type, scoped ReadOnlySpan<byte> value) => value.CopyTo(Attribute(type, value.Length));

    /// <summary>Ends the message.</summary>
    public readonly Span<byte> End()
    {
        MemoryMarshal.Write(_buffer, (uint)Length);
        return _buffer[..Length];
    }

    private Span<byte> Attribute(ushort type, int length)
    {
        MemoryMarshal.Write(_buffer[Length..], (ushort)(AttributeHeaderBytes + length));
        MemoryMarshal.Write(_buffer[(Length + 2)..], type);
        var value = _buffer.Slice(Length + AttributeHeaderBytes, length);
        var padded = (length + 3) & ~3;
        _buffer[(Length + AttributeHeaderBytes + length)..(Length + AttributeHeaderBytes + padded)].Clear();
        Length += AttributeHeaderBytes + padded;
        return value;
    }
}
