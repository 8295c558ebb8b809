using System.Runtime.InteropServices;
using System.Text;

namespace FwCluster.Control.Rulesets;

/// <summary>Files that are on the disk, and not on their way there, when a call returns.</summary>
internal static partial class DurableFiles
{
    private const int ReadOnly = 0x80000; // O_CLOEXEC

    /// <summary>Writes a new file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Writes new files into a folder of their own. They go to the disk at once, not one after the other: a disk that has much to do takes as long
    /// for all as for one.</summary>
    /// <exception cref="IOException">One cannot be written.</exception>
    public static void WriteAll(string folder, params (string Name, string Text)[] files)
    {
        foreach (var (name, text) in files) File.WriteAllBytes(Path.Combine(folder, name), Encoding.UTF8.GetBytes(text));
        try
        {
            Parallel.ForEach(files.Select(f => Path.Combine(folder, f.Name)).Append(folder), new ParallelOptions { MaxDegreeOfParallelism = files.Length + 1 }, Sync);
        }
        catch (AggregateException e)
        {
            throw new IOException(e.InnerException!.Message, e);
        }
    }

    /// <summary>Makes what was created, renamed and removed in a folder, or written to a file, last through a loss of power.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void Sync(string path)
    {
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0) throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            if (SyncDescriptor(descriptor) < 0) throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
