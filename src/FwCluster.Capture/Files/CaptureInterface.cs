using FwCluster.Packets;

namespace FwCluster.Capture.Files;

/// <summary>Where packets of a capture were seen: a pcapng interface description block, or the one interface of a pcap file.</summary>
/// <param name="Link">The link-layer header its packets begin with.</param>
/// <param name="SnapLength">Most bytes kept of a packet; 0 for no limit.</param>
/// <param name="Name">The interface's name (<c>if_name</c>), or null where the capture does not say.</param>
/// <param name="Clock">How its time stamps count.</param>
public sealed record CaptureInterface(LinkType Link, uint SnapLength, string? Name, CaptureClock Clock);
