namespace FwCluster.Capture.Files;

/// <summary>
/// The bytes of a capture as they come, from a file or a pipe: look at some, then move on. Holds one buffer that grows only as far as
/// bytes really arrive, so a length that lies costs nothing.
/// </summary>
internal sealed class CaptureInput(Stream stream) : IDisposable
{
    private byte[] _buffer = new byte[1 << 18];
    private int _start;
    private int _end;
    private bool _atEnd;

    /// <summary>Bytes from the start of the capture to the next one to read.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the whole capture, where that is known (a regular file); else -1.</summary>
    public long Length { get; } = stream.CanSeek ? stream.Length : -1;

    /// <summary>What the operating system said when reading failed; the capture ends there.</summary>
    public string? ReadError { get; private set; }

    /// <summary>
    /// The next <paramref name="count"/> bytes without moving on; fewer where the capture ends before. Valid until the next call.
    /// </summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count) Fill(count);
        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Moves over bytes that <see cref="Peek"/> has shown.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _end - _start);
        _start += count;
        Position += count;
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void Fill(int count)
    {
        if (_start > 0 && _buffer.Length - _start < count)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        while (!_atEnd && _end - _start < count)
        {
            if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            var read = Read(_buffer.AsSpan(_end));
            _atEnd = read == 0;
            _end += read;
        }
    }

    private int Read(Span<byte> room)
    {
        try
        {
            return stream.Read(room);
        }
        catch (IOException e)
        {
            ReadError = e.Message;
            return 0;
        }
    }
}
