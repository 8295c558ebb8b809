using FwCluster.Capture.Mirror;
using FwCluster.Datapath;

namespace FwCluster.Node.Live;

/// <summary>Takes copies of packets to their verdicts, which nobody enforces.</summary>
internal sealed class MirrorLoop(MirrorPort port, DropLog? drops) : PortLoop("mirror")
{
    private const int WaitMilliseconds = 100;
    private const int BatchSize = 1024;
    private const int IdleSweep = 4096;

    /// <inheritdoc/>
    public override PortCounts Counts => new("mirror", "mirror", (ulong)(port.Overruns + port.KernelDrops), null);

    protected override void RunBatch()
    {
        if (!port.TryNext(WaitMilliseconds, out var packet))
        {
            Worker.Idle(UnixTime.Now, IdleSweep);
            return;
        }
        var taken = 0;
        do
        {
            var input = new PacketInput
            {
                Link = packet.Link,
                Frame = packet.Bytes,
                WireLength = packet.WireLength,
                Time = packet.Time,
                In = packet.Interface,
                Out = packet.Interface,
            };
            var outcome = Worker.Process(in input);
            drops?.Note(in input, in outcome);
            MirrorPort.Return(packet);
        }
        while (++taken < BatchSize && port.TryNext(0, out packet));
    }

    public override void Wake() => port.Wake();

    protected override void Close() => port.Dispose();
}
