using System.Buffers.Binary;

namespace FwCluster.Cli.Tests;

/// <summary>A folder of a test's own with captures of bare IP packets, a second apart, in it; gone with the test.</summary>
internal sealed class TestCapture : IDisposable
{
    public const long FirstSecond = 1_700_000_000;

    public string Folder { get; } = Directory.CreateTempSubdirectory("fwcluster-test-").FullName;

    /// <summary>The capture of <see cref="Write"/>.</summary>
    public string Path => File("capture.pcap");

    public string File(string name) => System.IO.Path.Combine(Folder, name);

    public string Text(string name, string content)
    {
        System.IO.File.WriteAllText(File(name), content);
        return File(name);
    }

    /// <summary>Writes packets as a pcap file of raw IP.</summary>
    public TestCapture Write(params IReadOnlyList<byte[]> packets)
    {
        using var file = System.IO.File.Create(Path);
        Span<byte> header = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xa1b2c3d4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], 262144);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 101);
        file.Write(header);
        for (var i = 0; i < packets.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(FirstSecond + i));
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], 0);
            BinaryPrimitives.WriteInt32LittleEndian(header[8..], packets[i].Length);
            BinaryPrimitives.WriteInt32LittleEndian(header[12..], packets[i].Length);
            file.Write(header[..16]);
            file.Write(packets[i]);
        }
        return this;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
