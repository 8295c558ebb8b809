using System.Text;
using static Tmds.Linux.LibC;

namespace FwCluster.Referee.Lab;

/// <summary>
/// The kernel's log from now on, with the lines of LOG rules in namespaces: <c>net.netfilter.nf_log_all_netns</c> is set while one of
/// these is open, and put back afterwards, by the next one where a process was killed before. One at a time on a machine.
/// </summary>
public sealed unsafe class KernelLog : IDisposable
{
    private const string AllNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns";
    private const int LongestRecord = 8192;

    private readonly FileStream _lock;
    private readonly int _handle;
    private readonly byte[] _record = new byte[LongestRecord];
    private readonly string _before;

    public KernelLog()
    {
        _lock = TakeLock(TimeSpan.FromSeconds(60));
        _before = Remember();
        File.WriteAllText(AllNamespaces, "1");
        fixed (byte* path = "/dev/kmsg\0"u8) _handle = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (_handle < 0)
        {
            Restore();
            throw new CommandFailedException($"open /dev/kmsg: errno {errno}");
        }
        _ = lseek(_handle, 0, SEEK_END);
    }

    /// <summary>The lines since the last call that begin with a prefix, which is cut off.</summary>
    public List<string> Take(string prefix)
    {
        var lines = new List<string>();
        while (true)
        {
            int length;
            fixed (byte* bytes = _record) length = (int)(long)read(_handle, bytes, _record.Length);
            if (length < 0 && errno == EAGAIN) return lines;
            if (length < 0 && errno == EINTR) continue;
            if (length < 0) throw new CommandFailedException($"the kernel's log: errno {errno} (32: it was overrun)");
            var record = Encoding.UTF8.GetString(_record, 0, length);
            var message = record[(record.IndexOf(';', StringComparison.Ordinal) + 1)..];
            message = message[..message.IndexOf('\n', StringComparison.Ordinal)];
            if (message.StartsWith(prefix, StringComparison.Ordinal)) lines.Add(message[prefix.Length..]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = close(_handle);
        Restore();
    }

    private static FileStream TakeLock(TimeSpan timeout)
    {
        var path = Path.Combine(Path.GetTempPath(), "fwt-nf-log-all-netns.lock");
        for (var end = DateTime.UtcNow + timeout; ; Thread.Sleep(50))
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (DateTime.UtcNow < end)
            {
                // Another test has it.
            }
        }
    }

    // The lock's file holds what to put back, so that it is not lost with a killed process.
    private string Remember()
    {
        Span<byte> content = stackalloc byte[16];
        var length = _lock.Read(content);
        if (length > 0) return Encoding.ASCII.GetString(content[..length]);
        var value = File.ReadAllText(AllNamespaces).Trim();
        _lock.Write(Encoding.ASCII.GetBytes(value));
        _lock.Flush();
        return value;
    }

    private void Restore()
    {
        File.WriteAllText(AllNamespaces, _before);
        _lock.SetLength(0);
        _lock.Dispose();
    }
}
