using System.Runtime.InteropServices;

namespace FwCluster.Capture.Mirror;

/// <summary>What libpcap counts of one device (pcap_stats). Asked directly: on 64-bit Linux, SharpPcap 6.3 takes each 32-bit number of struct pcap_stat
/// for one of 64 bits, and its count of dropped packets is another one.</summary>
internal sealed unsafe class PcapCounters(SafeHandle device)
{
    private static readonly string[] Names = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so", "libpcap"];

    private static readonly delegate* unmanaged<nint, uint*, int> Ask = Find();

    private uint _last;
    private long _dropped;

    /// <summary>Packets that found no room in the kernel's buffer. Not for several threads at a time, nor once the device is closed.</summary>
    public long Dropped
    {
        get
        {
            var counters = stackalloc uint[3]; // received, dropped, dropped by the interface
            if (Ask != null && Ask(device.DangerousGetHandle(), counters) == 0)
            {
                _dropped += counters[1] - _last;
                _last = counters[1];
            }
            return _dropped;
        }
    }

    private static delegate* unmanaged<nint, uint*, int> Find()
    {
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var library) && NativeLibrary.TryGetExport(library, "pcap_stats", out var address))
                return (delegate* unmanaged<nint, uint*, int>)address;
        return null;
    }
}
