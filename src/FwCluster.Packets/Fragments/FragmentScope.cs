namespace FwCluster.Packets.Fragments;

/// <summary>
/// What keeps fragments with equal addresses and identification apart: the kernel's defragmentation "user" and the interface. Fragments are
/// put together only with fragments of the same scope.
/// </summary>
/// <param name="Zone">The conntrack zone.</param>
/// <param name="IsOutput">True where this host sends the packet (hook LOCAL_OUT), false where it came in (PRE_ROUTING).</param>
/// <param name="InterfaceIndex">The interface it came in on. Counts only for IPv6 to a multicast or link-local address.</param>
public readonly record struct FragmentScope(ushort Zone, bool IsOutput, int InterfaceIndex);
