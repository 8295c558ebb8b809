using System.Buffers.Text;

namespace FwCluster.Capture.Queue;

/// <summary>What the kernel says of a queue: its line of /proc/net/netfilter/nfnetlink_queue.</summary>
/// <param name="Waiting">Packets that wait for a verdict.</param>
/// <param name="QueueDropped">Packets dropped because <see cref="QueueSettings.MaxLength"/> of them waited.</param>
/// <param name="UserDropped">Packets dropped because the receive buffer was full.</param>
public readonly record struct KernelQueueCounters(long Waiting, long QueueDropped, long UserDropped)
{
    /// <summary>Finds a queue in the file's text (seq_show in net/netfilter/nfnetlink_queue.c).</summary>
    internal static bool TryFind(ReadOnlySpan<byte> text, int queue, out KernelQueueCounters counters)
    {
        Span<long> fields = stackalloc long[7];
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            var count = 0;
            while (count < fields.Length)
            {
                line = line.TrimStart((byte)' ');
                if (!Utf8Parser.TryParse(line, out fields[count], out var used)) break;
                line = line[used..];
                count++;
            }
            if (count < fields.Length || fields[0] != queue) continue;
            counters = new KernelQueueCounters(fields[2], fields[5], fields[6]);
            return true;
        }
        counters = default;
        return false;
    }
}
