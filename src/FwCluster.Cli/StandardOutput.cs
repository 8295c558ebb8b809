using System.Runtime.InteropServices;
using System.Text;

namespace FwCluster.Cli;

/// <summary>
/// The process's standard output. Not the runtime's own: <see cref="Console"/>'s swallows a broken pipe, and <c>fwctl replay ... | head</c>
/// would read the whole capture for nobody; a file stream writes at an offset of its own and not at that which the shell's commands share.
/// </summary>
internal sealed partial class StandardOutput : Stream
{
    private const int Descriptor = 1;
    private const int Interrupted = 4;
    private const int BrokenPipe = 32;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A buffered writer of UTF-8.</summary>
    public static StreamWriter OpenWriter()
        => new(new StandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 1 << 16) { NewLine = "\n" };

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = write(Descriptor, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length);
            if (written < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == Interrupted) continue;
                if (error == BrokenPipe) throw new NobodyReadsException();
                throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
            buffer = buffer[(int)written..];
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, ref byte bytes, nuint count);
}

/// <summary>Nobody reads the output any more (<c>| head</c>): an end, but no error.</summary>
internal sealed class NobodyReadsException : IOException
{
    public NobodyReadsException()
    {
    }

    public NobodyReadsException(string message) : base(message)
    {
    }

    public NobodyReadsException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
