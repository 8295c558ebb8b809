using FwCluster.Capture.Drops;
using FwCluster.Datapath;
using FwCluster.Datapath.Logging;

namespace FwCluster.Node.Live;

/// <summary>One worker's way into the files of dropped packets. Belongs to its thread.</summary>
internal sealed class DropLog(DropSource? source, PacketWorker worker)
{
    /// <summary>Where packets go; null for nowhere.</summary>
    public DropSource? Source { get; set; } = source;

    /// <summary>Hands the packet over, with the reason as its comment, where it was stopped.</summary>
    public void Note(in PacketInput packet, in PacketOutcome outcome)
    {
        if (outcome.Fate is PacketFate.Accepted || Source is null) return;
        Span<byte> reason = stackalloc byte[OutcomeText.MaxBytes];
        // Rules change between packets only: these have decided.
        var length = OutcomeText.Write(in outcome, worker.Rules(outcome.Family).Rules, reason);
        if (length == 0) return;
        Source.Write(new DroppedPacket
        {
            Link = packet.Link,
            Interface = packet.In.IsEmpty ? packet.Out : packet.In,
            Data = packet.Frame,
            WireLength = packet.WireLength,
            Time = packet.Time,
            Reason = reason[..length],
        });
    }
}
