using FwCluster.Capture.Answers;
using FwCluster.Capture.Queue;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Node.Live;

/// <summary>Takes packets from a netfilter queue to their verdicts.</summary>
internal sealed class QueueLoop(QueuePort port, QueueVerdicts verdicts, AnswerPort answerPort) : PortLoop($"queue {port.Number}")
{
    private const int WaitMilliseconds = 100;
    private const int IdleSweep = 4096;

    private static readonly InterfaceName Loopback = InterfaceName.From("lo");

    /// <inheritdoc/>
    public override PortCounts Counts => port.TryReadKernelCounters(out var kernel)
        ? new PortCounts($"queue {port.Number}", "queue", (ulong)(kernel.QueueDropped + kernel.UserDropped), (ulong)kernel.Waiting)
        : new PortCounts($"queue {port.Number}", "queue", port.Statistics.Overruns, null);

    /// <inheritdoc/>
    public override void Wake() => port.Wake();

    protected override void RunBatch()
    {
        if (Worker.IsDraining)
        {
            // Other rules wait for what is held: no more packets till then.
            using (Have()) Advance();
            Thread.Sleep(1);
        }
        else if (!TakePackets() && !port.Wait(WaitMilliseconds, out var isWoken))
        {
            using (Have())
            {
                if (isWoken) Advance();
                else Idle();
            }
        }
    }

    protected override void Advance()
    {
        base.Advance();
        port.Send();
    }

    protected override void Close()
    {
        port.Dispose();
        answerPort.Dispose();
    }

    private bool TakePackets()
    {
        using (Have())
        {
            if (!port.Receive(0)) return false;
            while (port.TryNext(out var packet)) Decide(ref packet);
            Advance();
            return true;
        }
    }

    private void Idle()
    {
        Worker.Idle(UnixTime.Now, IdleSweep);
        port.Send();
    }

    private void Decide(ref QueuedPacket packet)
    {
        var input = new PacketInput
        {
            Link = LinkType.Raw,
            Frame = packet.Bytes,
            WireLength = packet.Length,
            Time = packet.Time,
            In = packet.In,
            Out = packet.Out,
            Way = WayOf(packet),
            IsRouted = true,
            Mark = packet.Mark,
            SourceMac = packet.HasSourceMac ? packet.SourceMac : null,
            InterfaceMac = packet.HasInterfaceMac ? packet.InterfaceMac : null,
            ChecksumIsTrusted = packet.IsChecksumUnfinished || !packet.IsChecksumUnverified,
            Ticket = new PacketTicket(packet.Id, packet.InIndex, packet.OutIndex, packet.IsChecksumUnfinished),
        };
        var outcome = Worker.Process(in input);
        if (outcome.Fate != PacketFate.Held) verdicts.Decide(in input, in outcome);
    }

    /// <summary>Over the loopback interface a packet takes its whole way when it is sent; the divert rules let it pass when it arrives.</summary>
    private static PacketWay WayOf(in QueuedPacket packet) => packet.Hook switch
    {
        Hook.Input => PacketWay.Input,
        Hook.Output => packet.Out == Loopback ? PacketWay.Loopback : PacketWay.Output,
        _ => PacketWay.Forward,
    };
}
