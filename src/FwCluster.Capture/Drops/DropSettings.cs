namespace FwCluster.Capture.Drops;

/// <summary>Where and how much dropped packets are written. Immutable.</summary>
public sealed record DropSettings
{
    /// <summary>The folder; it is made where it is not there.</summary>
    public required string Folder { get; init; }

    /// <summary>How the files' names begin: <c>drops-000001.pcapng</c> and so on.</summary>
    public string Name { get; init; } = "drops";

    /// <summary>Most bytes of a file; the next one begins before. 4 KiB to 1 TiB.</summary>
    public long FileBytes { get; init; } = 16 << 20;

    /// <summary>Most files: the oldest one goes where another would be too many. 1 to 100,000.</summary>
    public int Files { get; init; } = 10;

    /// <summary>Most bytes kept of a packet, 64 to 262,144.</summary>
    public int SnapLength { get; init; } = 65_535;

    /// <summary>Bytes that wait in memory for each thread that drops packets: at least room for two of the longest, at most 1 GiB;
    /// rounded up to a power of two. What does not fit is counted, not written.</summary>
    public int BufferBytes { get; init; } = 4 << 20;

    /// <summary>How long packets wait in memory at most, unless the disk is slower.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>What is wrong with a setting, by its name, and what would be right; null where all are right.</summary>
    public string? Error()
    {
        if (string.IsNullOrEmpty(Folder)) return $"{nameof(Folder)} is empty; it is the folder for the files";
        if (string.IsNullOrEmpty(Name) || Name != Path.GetFileName(Name))
            return $"{nameof(Name)} is \"{Name}\"; it is the beginning of a file's name, without a folder";
        if (FileBytes is < 4096 or > 1L << 40) return $"{nameof(FileBytes)} is {FileBytes}; 4096 to {1L << 40} bytes are possible";
        if (Files is < 1 or > 100_000) return $"{nameof(Files)} is {Files}; 1 to 100000 are possible";
        if (SnapLength is < 64 or > 262_144) return $"{nameof(SnapLength)} is {SnapLength}; 64 to 262144 bytes are possible";
        var least = 2 * (SnapLength + DropSource.MaxReason + 64);
        if (BufferBytes < least || BufferBytes > 1 << 30)
            return $"{nameof(BufferBytes)} is {BufferBytes}; for a {nameof(SnapLength)} of {SnapLength}, {least} to {1 << 30} bytes are possible";
        if (FlushInterval <= TimeSpan.Zero || FlushInterval > TimeSpan.FromMinutes(1))
            return $"{nameof(FlushInterval)} is {FlushInterval}; more than none, up to a minute, is possible";
        return null;
    }
}
