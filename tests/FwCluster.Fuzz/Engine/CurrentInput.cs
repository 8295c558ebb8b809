using System.IO.MemoryMappedFiles;

namespace FwCluster.Fuzz.Engine;

/// <summary>The input being run, in a file shared with whoever started the process: it outlives a crash.</summary>
internal sealed class CurrentInput : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    public CurrentInput(string path, int maxBytes)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, sizeof(int) + maxBytes);
        _view = _file.CreateViewAccessor();
        _view.Write(0, -1);
    }

    /// <summary>Notes an input that is about to be run.</summary>
    public void Write(ReadOnlySpan<byte> input)
    {
        _view.SafeMemoryMappedViewHandle.WriteSpan(sizeof(int), input);
        _view.Write(0, input.Length);
    }

    /// <summary>The input that a process died of; null where it ran none.</summary>
    public static byte[]? Read(string path)
    {
        if (!File.Exists(path)) return null; // it did not even begin
        var bytes = File.ReadAllBytes(path);
        var length = BitConverter.ToInt32(bytes);
        return length < 0 ? null : bytes[sizeof(int)..(sizeof(int) + length)];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
