using System.Buffers;

namespace FwCluster.Packets.Fragments;

/// <summary>
/// Puts fragments together before tracking sees them, as the kernel's defragmentation for conntrack does: ip_defrag
/// (net/ipv4/ip_fragment.c) and nf_ct_frag6_gather (net/ipv6/netfilter/nf_conntrack_reasm.c). It has no clock: time comes with each packet.
/// One thread at a time.
/// </summary>
public sealed partial class Reassembler
{
    /// <summary>The longest IPv4 packet, and the longest payload of an IPv6 packet.</summary>
    private const int MaximumLength = ushort.MaxValue;

    private static readonly int FailureReasons = Enum.GetValues<FragmentFailure>().Length;

    private readonly ReassemblyOptions _options;
    private readonly FragmentTable _ipv4;
    private readonly FragmentTable _ipv6;
    private readonly long[] _failures = new long[FailureReasons];

    /// <summary>Starts with nothing held.</summary>
    public Reassembler(ReassemblyOptions? options = null)
    {
        _options = options ?? new ReassemblyOptions();
        _ipv4 = new FragmentTable(_options.IPv4MemoryLimit, Nanoseconds(_options.IPv4Timeout));
        _ipv6 = new FragmentTable(_options.IPv6MemoryLimit, Nanoseconds(_options.IPv6Timeout));
    }

    /// <summary>Datagrams that are incomplete.</summary>
    public int HeldDatagrams => _ipv4.Count + _ipv6.Count;

    /// <summary>Bytes of memory that their fragments hold.</summary>
    public long MemoryBytes => _ipv4.MemoryBytes + _ipv6.MemoryBytes;

    /// <summary>How often fragments were dropped for this reason.</summary>
    public long Failures(FragmentFailure reason) => _failures[(int)reason];

    /// <summary>True where a packet must be given to <see cref="Add"/>: a fragment, or an IPv6 packet with a fragment header.</summary>
    public static bool Concerns(in PacketHeaders headers)
        => headers.IsFragment || (headers.Traits & NetworkTraits.FragmentHeader) != 0
            || headers is { Family: IpFamily.IPv6, Protocol: IpProtocol.Fragment, Transport: TransportHeader.Malformed };

    /// <summary>Takes a packet.</summary>
    /// <param name="headers">Its headers, as <see cref="PacketDecoder.Decode"/> gave them.</param>
    /// <param name="packet">Its bytes from the IP header on. They are copied.</param>
    /// <param name="nowNanoseconds">The time; never less than before.</param>
    /// <param name="scope">Fragments of different scopes do not belong together.</param>
    /// <param name="whole">Where the result is <see cref="FragmentResult.Whole"/>, the packet. The caller disposes of it.</param>
    public FragmentResult Add(
        in PacketHeaders headers, ReadOnlySpan<byte> packet, long nowNanoseconds, in FragmentScope scope, out ReassembledPacket whole)
    {
        Expire(nowNanoseconds);
        whole = default;
        if (!Concerns(in headers)) return FragmentResult.Untouched;
        if (packet.Length > headers.TotalLength) packet = packet[..headers.TotalLength];
        return headers.Family == IpFamily.IPv4
            ? AddIPv4(in headers, packet, nowNanoseconds, in scope, out whole)
            : AddIPv6(in headers, packet, nowNanoseconds, in scope, out whole);
    }

    /// <summary>Drops the datagrams whose time is over. <see cref="Add"/> does it too; this is for times without fragments.</summary>
    public void Expire(long nowNanoseconds)
    {
        Expire(_ipv4, nowNanoseconds);
        Expire(_ipv6, nowNanoseconds);
    }

    private static uint User(in FragmentScope scope) => scope.Zone | (scope.IsOutput ? 1u << 16 : 0);

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    private void Expire(FragmentTable table, long now)
    {
        while (table.FirstExpired(now) is { } queue) Drop(table, queue, FragmentFailure.Timeout);
    }

    private void Drop(FragmentTable table, FragmentQueue queue, FragmentFailure reason)
    {
        table.Remove(queue);
        queue.Release();
        Fail(reason);
    }

    private FragmentResult Fail(FragmentFailure reason)
    {
        _failures[(int)reason]++;
        return FragmentResult.Dropped;
    }

    /// <summary>
    /// The fragment's ECN codepoints together (ip_frag_ecn_table): what the whole packet's field gets added, or -1 where they
    /// contradict each other. "Not capable" goes with nothing else; "congestion experienced" by one is the datagram's.
    /// </summary>
    private static int CombineEcn(int seen)
    {
        const int notCapable = 1 << 0;
        const int congestionExperienced = 1 << 3;
        if ((seen & notCapable) != 0) return seen == notCapable ? 0 : -1;
        // All with CE have it in the first fragment's header already.
        return (seen & congestionExperienced) != 0 ? 3 : 0;
    }

    private static byte[] Rent(FragmentQueue queue) => ArrayPool<byte>.Shared.Rent(queue.HeaderLength + queue.DataLength);
}
