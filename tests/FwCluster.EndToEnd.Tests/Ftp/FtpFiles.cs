using System.Globalization;
using System.Security.Cryptography;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>The files that are transferred: random bytes, made once for each size, and their checksums.</summary>
internal sealed class FtpFiles
{
    private readonly Dictionary<int, byte[]> _checksums = [];
    private readonly string _folder;

    /// <param name="folder">Where the files are written; everybody may read them.</param>
    /// <param name="sizes">Their sizes, bytes.</param>
    public FtpFiles(string folder, IEnumerable<int> sizes)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        foreach (var size in sizes)
        {
            var content = RandomNumberGenerator.GetBytes(size);
            _checksums[size] = SHA256.HashData(content);
            File.WriteAllBytes(Of(size), content);
        }
    }

    /// <summary>The file of a size.</summary>
    public string Of(int size) => Path.Combine(_folder, size.ToString(CultureInfo.InvariantCulture));

    /// <summary>What is wrong with a copy of the file of that size, or null.</summary>
    public string? WhatIsWrong(string copy, int size)
    {
        if (!File.Exists(copy)) return $"{size} bytes never arrived";
        using var stream = File.OpenRead(copy);
        if (stream.Length != size) return $"of {size} bytes {stream.Length} arrived";
        return SHA256.HashData(stream).AsSpan().SequenceEqual(_checksums[size]) ? null : $"{size} bytes arrived, but not those that were sent";
    }
}
