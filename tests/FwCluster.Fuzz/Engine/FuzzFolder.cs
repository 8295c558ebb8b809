using System.Security.Cryptography;

namespace FwCluster.Fuzz.Engine;

/// <summary>Where a target's inputs are kept: <c>corpus/</c> with what longer runs found worth keeping, and findings.</summary>
/// <param name="path">The target's folder; made when something is written.</param>
/// <param name="keepsCorpus">Whether this run begins with the corpus of runs before it, and adds to it.</param>
internal sealed class FuzzFolder(string path, bool keepsCorpus)
{
    /// <summary>The file with the input being run.</summary>
    public string CurrentInput => Path.Combine(Made(path), $"current.{Environment.ProcessId}");

    /// <summary>The inputs of earlier runs.</summary>
    public IEnumerable<byte[]> ReadCorpus()
    {
        var folder = Path.Combine(path, "corpus");
        if (!keepsCorpus || !Directory.Exists(folder)) return [];
        return Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
    }

    /// <summary>Keeps inputs for runs to come.</summary>
    public void AddToCorpus(IEnumerable<byte[]> inputs)
    {
        if (!keepsCorpus) return;
        var folder = Made(Path.Combine(path, "corpus"));
        foreach (var input in inputs) File.WriteAllBytes(Path.Combine(folder, NameOf(input)), input);
    }

    /// <summary>Writes a finding's input; its file.</summary>
    public string WriteFinding(byte[] input)
    {
        var file = Path.Combine(Made(path), "finding-" + NameOf(input));
        File.WriteAllBytes(file, input);
        return file;
    }

    /// <summary>The file that a child process with this id left its current input in.</summary>
    public string CurrentInputOf(int processId) => Path.Combine(path, $"current.{processId}");

    private static string NameOf(byte[] input) => Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8));

    private static string Made(string folder) => Directory.CreateDirectory(folder).FullName;
}
