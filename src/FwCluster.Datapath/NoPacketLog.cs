using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath;

/// <summary>Tells nobody of the packets that LOG and NFLOG rules meet; the rules count them all the same.</summary>
public sealed class NoPacketLog : IPacketLog
{
    private NoPacketLog()
    {
    }

    /// <summary>The only one.</summary>
    public static NoPacketLog Instance { get; } = new();

    /// <inheritdoc/>
    public void Log(in PacketContext packet, in LogRequest request)
    {
    }
}
