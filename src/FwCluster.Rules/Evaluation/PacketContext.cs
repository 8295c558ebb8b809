using FwCluster.Conntrack;
using FwCluster.Packets;

namespace FwCluster.Rules.Evaluation;

/// <summary>
/// A packet as rules see it: the kernel's <c>struct sk_buff</c> and <c>struct xt_action_param</c> together. Made once a packet, on the
/// stack; targets that change the packet change it here, so that later rules see the change.
/// </summary>
public ref struct PacketContext
{
    /// <summary>The headers; <see cref="PacketHeaders.Tos"/> may be changed by TOS and DSCP targets.</summary>
    public ref PacketHeaders Headers;

    /// <summary>The packet's bytes from the IP header on, as many as were captured.</summary>
    public ReadOnlySpan<byte> Packet;

    /// <summary>What the link layer said.</summary>
    public ref readonly LinkHeader Link;

    /// <summary>The interface the packet came in by; empty where there is none (OUTPUT) or it is not known.</summary>
    public InterfaceName In;

    /// <summary>The interface the packet leaves by; empty where there is none (INPUT) or it is not known.</summary>
    public InterfaceName Out;

    /// <summary>Where in the packet's way the rules run.</summary>
    public Hook Hook;

    /// <summary>The packet's mark (<c>-m mark</c>, <c>-j MARK</c>).</summary>
    public uint Mark;

    /// <summary>What tracking said. <see cref="TrackResult.State"/> is <see cref="ConntrackState.None"/> in the raw table.</summary>
    public TrackResult Track;

    /// <summary>The connections, to look at the packet's entry (<see cref="TrackResult.Connection"/> where not negative).</summary>
    public ConnectionTable Connections;

    /// <summary>What CT and NOTRACK targets of the raw table ask of tracking.</summary>
    public ConnectionTemplate Template;

    /// <summary>Which addresses are the host's own, broadcast and so on.</summary>
    public IAddressTypes AddressTypes;

    /// <summary>Where LOG and NFLOG go.</summary>
    public IPacketLog Log;

    /// <summary>Nanoseconds since the Unix epoch.</summary>
    public long Now;

    /// <summary>The rules are only tried, for a state that the packet might turn out to have: nothing may remember it. See
    /// <see cref="MustAskFirst"/>.</summary>
    public bool IsTrial;

    /// <summary>A trial met something that cannot be tried: a match that remembers, or that needs the packet's connection.</summary>
    public bool MustAskFirst;

    /// <summary>The packet's entry. Only where <see cref="TrackResult.Connection"/> is not negative.</summary>
    public readonly ref Connection Connection => ref Connections[Track.Connection];
}
