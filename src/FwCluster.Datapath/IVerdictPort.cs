namespace FwCluster.Datapath;

/// <summary>Where the verdicts on held packets go: the port that they came from.</summary>
public interface IVerdictPort
{
    /// <summary>What became of a packet that <see cref="PacketWorker.Process"/> held. On the worker's thread.</summary>
    /// <param name="input">The packet as it came, but for its memory, which is the worker's and may be written to.</param>
    /// <param name="outcome">What became of it.</param>
    void Decide(in PacketInput input, in PacketOutcome outcome);
}

/// <summary>What a port needs to know of a packet again when its verdict comes later. The worker keeps it with the packet.</summary>
/// <param name="Id">The port's number of the packet.</param>
/// <param name="InIndex">The index of the interface it came in by, or 0.</param>
/// <param name="OutIndex">The index of the interface it leaves by, or 0.</param>
/// <param name="IsChecksumUnfinished">Its transport checksum is yet to be filled in.</param>
public readonly record struct PacketTicket(uint Id, int InIndex, int OutIndex, bool IsChecksumUnfinished);
