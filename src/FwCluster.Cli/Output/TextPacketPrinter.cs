using System.Globalization;
using FwCluster.Capture.Files;
using FwCluster.Cli.Replay;
using FwCluster.Datapath;

namespace FwCluster.Cli.Output;

/// <summary>A line a packet: number, state, verdict, chain, rule, with tabs between.</summary>
internal sealed class TextPacketPrinter(TextWriter output) : IPacketPrinter
{
    private readonly char[] _number = new char[20];

    public void Print(in CapturedPacket packet, in PacketOutcome outcome, in PacketVerdict verdict)
    {
        packet.Number.TryFormat(_number, out var length, provider: CultureInfo.InvariantCulture);
        output.Write(_number, 0, length);
        output.Write('\t');
        output.Write(verdict.State);
        output.Write('\t');
        output.Write(verdict.Verdict);
        output.Write('\t');
        output.Write(verdict.Chain);
        output.Write('\t');
        output.Write(verdict.Rule);
        output.Write('\n');
    }
}
