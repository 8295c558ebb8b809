namespace FwCluster.Rules.Evaluation;

/// <summary>Where packets that LOG and NFLOG targets meet are told. Called on the packet's way: it must be quick.</summary>
public interface IPacketLog
{
    /// <summary>A LOG or NFLOG rule met this packet.</summary>
    void Log(in PacketContext packet, in LogRequest request);
}

/// <summary>What a LOG or NFLOG rule asks for.</summary>
/// <param name="Prefix">Text before the line, at most 29 bytes (LOG) or 63 (NFLOG).</param>
/// <param name="Level">syslog level 0 to 7 (LOG).</param>
/// <param name="Flags">LOG's <c>--log-*</c> flags (<c>NF_LOG_*</c>).</param>
/// <param name="Group">NFLOG's group, or -1 for LOG.</param>
public readonly record struct LogRequest(string Prefix, byte Level, byte Flags, int Group);
