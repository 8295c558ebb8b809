using System.Runtime.InteropServices;
using FwCluster.Capture.Netlink;

namespace FwCluster.Capture.Queue;

/// <summary>The buffers of one receive of many messages (recvmmsg), each large enough for the largest packet.</summary>
internal sealed unsafe class ReceiveBatch : IDisposable
{
    // A packet's 64 KiB, its attributes, and some: not a multiple of a page, or all messages would begin in the same cache sets.
    private const int MessageBytes = 0x1_1000 + 3 * 64;

    private readonly int _size;
    private byte* _bytes;
    private LibC.ReceivedMessage* _messages;
    private LibC.IoVector* _vectors;

    public ReceiveBatch(int size)
    {
        _size = size;
        _bytes = (byte*)NativeMemory.AlignedAlloc((nuint)size * MessageBytes, 64);
        _messages = (LibC.ReceivedMessage*)NativeMemory.AllocZeroed((nuint)size, (nuint)sizeof(LibC.ReceivedMessage));
        _vectors = (LibC.IoVector*)NativeMemory.Alloc((nuint)size, (nuint)sizeof(LibC.IoVector));
        for (var i = 0; i < size; i++)
        {
            _vectors[i] = new LibC.IoVector { Start = _bytes + i * MessageBytes, Length = MessageBytes };
            _messages[i].Header.Vectors = &_vectors[i];
            _messages[i].Header.VectorCount = 1;
        }
    }

    /// <summary>Receives what is there, without waiting.</summary>
    /// <returns>How many messages; or the error number, negative.</returns>
    public int Receive(NetlinkSocket socket)
    {
        var received = LibC.ReceiveMany(socket.Handle, _messages, (uint)_size, LibC.DontWait, null);
        return received >= 0 ? received : -LibC.LastError;
    }

    /// <summary>The messages of one receive; empty where they did not fit.</summary>
    public Span<byte> this[int index]
        => (_messages[index].Header.Flags & LibC.Truncated) != 0 ? default : new(_bytes + index * MessageBytes, (int)_messages[index].Length);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_bytes);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        _bytes = null;
        _messages = null;
        _vectors = null;
    }
}
