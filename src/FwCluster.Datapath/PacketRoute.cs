using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>A packet's way, and the interfaces on it.</summary>
/// <param name="Way">Through which hooks.</param>
/// <param name="In">Where it came in.</param>
/// <param name="Out">Where it leaves.</param>
internal readonly record struct PacketRoute(PacketWay Way, InterfaceName In, InterfaceName Out)
{
    /// <summary>True for a packet that the raw table meets at PREROUTING; the others it meets at OUTPUT.</summary>
    public bool ComesIn => Way is PacketWay.Input or PacketWay.Forward;

    /// <summary>Puts a packet where its way begins.</summary>
    public void Enter(ref PacketContext packet)
    {
        packet.In = ComesIn ? In : default;
        packet.Out = ComesIn ? default : Out;
    }

    /// <summary>The route of a packet; over the loopback interface it leaves and comes in by that one, whatever the port says.</summary>
    public static PacketRoute Of(PacketWay way, InterfaceName from, InterfaceName to, InterfaceName loopback)
        => way == PacketWay.Loopback ? new(way, loopback, loopback) : new(way, from, to);
}
