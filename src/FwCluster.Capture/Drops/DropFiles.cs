using System.Globalization;
using System.Runtime.InteropServices;
using FwCluster.Capture.Files;
using FwCluster.Packets;

namespace FwCluster.Capture.Drops;

/// <summary>
/// The files of dropped packets: numbered, the newest one open. A file is a whole pcapng capture after each <see cref="Flush"/>. Not
/// thread-safe.
/// </summary>
internal sealed class DropFiles : IDisposable
{
    private const byte Nanoseconds = 9;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly DropSettings _settings;
    private readonly PcapngBlockBuilder _block = new();
    private readonly Dictionary<(ushort Link, ulong Low, ulong High), uint> _interfaces = [];
    private FileStream? _file;
    private long _length;
    private long _number;

    public DropFiles(DropSettings settings)
    {
        _settings = settings;
        Directory.CreateDirectory(settings.Folder);
        _number = Existing().Select(file => file.Number).DefaultIfEmpty().Max();
    }

    /// <summary>Adds a packet, in a new file where this one would be too long.</summary>
    /// <exception cref="IOException">The disk is full, or not to be written.</exception>
    public void Add(in DropRing.Head head, ReadOnlySpan<byte> data, ReadOnlySpan<byte> reason)
    {
        try
        {
            // The most that a new interface and the packet take.
            var most = 64 + PcapngBlock.PacketDataOffset + PcapngBlock.Padded(data.Length) + 4 + PcapngBlock.Padded(reason.Length) + 8;
            if (_file is null || _length + most > _settings.FileBytes) OpenNext();
            var source = InterfaceOf(in head);
            Write(_block.Packet(source, (ulong)head.Time, head.WireLength, data, reason));
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <summary>Hands all that was added to the system.</summary>
    /// <exception cref="IOException">The disk is full, or not to be written.</exception>
    public void Flush()
    {
        try
        {
            _file?.Flush();
        }
        catch
        {
            Abandon();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private uint InterfaceOf(in DropRing.Head head)
    {
        var key = (head.Link, head.InterfaceLow, head.InterfaceHigh);
        if (_interfaces.TryGetValue(key, out var index)) return index;
        ReadOnlySpan<ulong> words = [head.InterfaceLow, head.InterfaceHigh];
        var name = MemoryMarshal.AsBytes(words);
        if (name.IndexOf((byte)0) is var end and >= 0) name = name[..end];
        Write(_block.Interface((LinkType)head.Link, (uint)_settings.SnapLength, Nanoseconds, name));
        index = (uint)_interfaces.Count;
        _interfaces.Add(key, index);
        return index;
    }

    private void OpenNext()
    {
        _file?.Dispose();
        _file = null;
        RemoveOldest();
        Directory.CreateDirectory(_settings.Folder);
        // Another writer of this folder may be at its end.
        _number = Math.Max(_number, Existing().Select(file => file.Number).DefaultIfEmpty().Max()) + 1;
        var name = string.Create(CultureInfo.InvariantCulture, $"{_settings.Name}-{_number:D6}.pcapng");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 1 << 16,
        };
        // Packets hold what people say to each other.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mode;
        _file = new FileStream(Path.Combine(_settings.Folder, name), options);
        _length = 0;
        _interfaces.Clear();
        Write(_block.Section("fwclusterd"u8));
    }

    private void RemoveOldest()
    {
        var existing = Existing().OrderBy(file => file.Number).ToList();
        foreach (var (path, _) in existing.Take(existing.Count + 1 - _settings.Files)) File.Delete(path);
    }

    private IEnumerable<(string Path, long Number)> Existing()
    {
        var prefix = _settings.Name + "-";
        if (!Directory.Exists(_settings.Folder)) yield break;
        foreach (var path in Directory.EnumerateFiles(_settings.Folder, prefix + "*.pcapng"))
        {
            var digits = Path.GetFileNameWithoutExtension(path)[prefix.Length..];
            if (digits.Length >= 6 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                yield return (path, number);
        }
    }

    private void Write(ReadOnlySpan<byte> block)
    {
        _file!.Write(block);
        _length += block.Length;
    }

    /// <summary>After a failure the file may end within a block: readers stop there. The next packet begins another one.</summary>
    private void Abandon()
    {
        try
        {
            _file?.Dispose();
        }
        catch (IOException)
        {
            // What could not be written before cannot be written now.
        }
        _file = null;
    }
}
