using FwCluster.Capture.Answers;
using FwCluster.Capture.Queue;
using FwCluster.Datapath;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Node.Live;

/// <summary>Takes packets from a netfilter queue to their verdicts, and sends the answers of REJECT rules.</summary>
internal sealed class QueueLoop(QueuePort port, PacketWorker worker, RejectAnswers answers, AnswerPort answerPort, DropLog? drops)
    : PortLoop(worker, $"queue {port.Number}")
{
    private const int WaitMilliseconds = 100;
    private const int IdleSweep = 4096;

    private static readonly InterfaceName Loopback = InterfaceName.From("lo");

    protected override void RunBatch()
    {
        if (!port.Receive(WaitMilliseconds))
        {
            Worker.Idle(UnixTime.Now, IdleSweep);
            return;
        }
        while (port.TryNext(out var packet)) Decide(ref packet);
        port.Send();
    }

    protected override void Wake() => port.Wake();

    protected override void Close()
    {
        port.Dispose();
        answerPort.Dispose();
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
        };
        var outcome = Worker.Process(in input);
        if (outcome.Fate != PacketFate.Accepted)
        {
            drops?.Note(in input, in outcome);
            if (outcome.Fate == PacketFate.Rejected && !answers.Answer.IsEmpty)
                answerPort.Send(answers.Answer, packet.InIndex != 0 ? packet.InIndex : packet.OutIndex);
            port.Drop(packet.Id);
            return;
        }
        var mark = outcome.Mark != packet.Mark ? outcome.Mark : (uint?)null;
        if (!outcome.IsTosChanged)
        {
            port.Accept(packet.Id, mark);
            return;
        }
        WriteTos(packet.Bytes, outcome);
        port.AcceptChanged(packet, mark);
    }

    /// <summary>Over the loopback interface a packet takes its whole way when it is sent; the divert rules let it pass when it arrives.</summary>
    private static PacketWay WayOf(in QueuedPacket packet) => packet.Hook switch
    {
        Hook.Input => PacketWay.Input,
        Hook.Output => packet.Out == Loopback ? PacketWay.Loopback : PacketWay.Output,
        _ => PacketWay.Forward,
    };

    private static void WriteTos(Span<byte> packet, in PacketOutcome outcome)
    {
        if (outcome.Family == IpFamily.IPv4)
        {
            packet[1] = outcome.Tos;
            return;
        }
        packet[0] = (byte)(packet[0] & 0xf0 | outcome.Tos >> 4);
        packet[1] = (byte)(packet[1] & 0x0f | outcome.Tos << 4);
    }
}
