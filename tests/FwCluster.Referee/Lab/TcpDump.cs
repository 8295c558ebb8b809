using System.Buffers.Binary;

namespace FwCluster.Referee.Lab;

/// <summary>tcpdump on one interface, writing each packet to a pcap file as it comes. Ended by <see cref="StopAfter"/>, or killed with its
/// namespace.</summary>
public sealed class TcpDump
{
    private const int FileHeaderBytes = 24;
    private const int RecordHeaderBytes = 16;
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly BackgroundProcess _process;
    private readonly string _file;

    private TcpDump(BackgroundProcess process, string file) => (_process, _file) = (process, file);

    /// <summary>Starts it, and returns when it listens.</summary>
    /// <param name="where">The namespace.</param>
    /// <param name="interfaceName">The interface.</param>
    /// <param name="file">What it writes.</param>
    /// <param name="filter">Which packets, such as <c>ip</c>.</param>
    public static TcpDump Start(NetworkNamespace where, string interfaceName, string file, string filter)
    {
        ArgumentNullException.ThrowIfNull(where);
        var process = where.Start("tcpdump", ["-i", interfaceName, "--immediate-mode", "-U", "-Z", "root", "-w", file, filter]);
        process.WaitUntil(() => process.Error.Contains("listening on", StringComparison.Ordinal), Patience);
        return new TcpDump(process, file);
    }

    /// <summary>Ends it once it has written as many packets as came by; none may be lost.</summary>
    /// <param name="packets">How many came by, by somebody else's count; asked again and again.</param>
    /// <exception cref="CommandFailedException">It has written more, or does not get to write so many, or packets were lost.</exception>
    public void StopAfter(Func<long> packets)
    {
        ArgumentNullException.ThrowIfNull(packets);
        var (written, wanted) = (0L, 0L);
        try
        {
            _process.WaitUntil(() => (written = Written()) == (wanted = packets()), Patience);
        }
        catch (CommandFailedException exception)
        {
            throw new CommandFailedException($"tcpdump has written {written} packets, {wanted} came by", exception);
        }
        _process.Signal(Terminate);
        if (!_process.WaitForExit(Patience)) throw new CommandFailedException($"tcpdump runs on: {_process.Error}");
        // Its last words may be behind its end.
        if (!SpinWait.SpinUntil(() => _process.Error.Contains("\n0 packets dropped by kernel", StringComparison.Ordinal), Patience) || Written() != written)
            throw new CommandFailedException($"tcpdump had written {written} packets, and has {Written()} in the end: {_process.Error}");
    }

    /// <summary>Packets that are in the file as a whole.</summary>
    private long Written()
    {
        using var stream = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> record = stackalloc byte[RecordHeaderBytes];
        var packets = 0L;
        for (long at = FileHeaderBytes; at + RecordHeaderBytes <= stream.Length; packets++)
        {
            stream.Position = at;
            stream.ReadExactly(record);
            at += RecordHeaderBytes + BinaryPrimitives.ReadUInt32LittleEndian(record[8..]);
            if (at > stream.Length) break;
        }
        return packets;
    }
}
