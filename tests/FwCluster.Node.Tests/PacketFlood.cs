using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>Sends packets that nobody asked for from the left host to the gateway, at a bounded rate and for a bounded time.</summary>
internal static class PacketFlood
{
    private const int EthernetHeaderBytes = 14;
    private const int PerMillisecond = 10;

    /// <summary>Sends for a while; how many it sent.</summary>
    /// <param name="lab">The hosts.</param>
    /// <param name="random">What the packets are made of.</param>
    /// <param name="next">Makes a packet, from the IP header on.</param>
    /// <param name="duration">How long.</param>
    public static long Run(GatewayLab lab, Random random, Func<Random, byte[]> next, TimeSpan duration)
    {
        using var wire = PacketSocket.Open(lab.Left, "eth0", 0);
        var frame = new byte[EthernetHeaderBytes + RandomPacket.MaxBytes];
        Convert.FromHexString(HardwareAddress(lab.Gateway, "left")).CopyTo(frame, 0);
        wire.HardwareAddress.CopyTo(frame, 6);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var sent = 0L;
        while (watch.Elapsed < duration)
        {
            for (; sent < watch.ElapsedMilliseconds * PerMillisecond; sent++)
            {
                var packet = next(random);
                (frame[12], frame[13]) = packet[0] >> 4 == 6 ? ((byte)0x86, (byte)0xdd) : ((byte)0x08, (byte)0x00);
                packet.CopyTo(frame, EthernetHeaderBytes);
                wire.Send(frame.AsSpan(0, EthernetHeaderBytes + packet.Length));
            }
            Thread.Sleep(1);
        }
        return sent;
    }

    private static string HardwareAddress(NetworkNamespace where, string name)
        => where.Execute("cat", [$"/sys/class/net/{name}/address"]).Trim().Replace(":", "", StringComparison.Ordinal);
}
