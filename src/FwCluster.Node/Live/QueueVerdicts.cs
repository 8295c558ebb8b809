using System.Runtime.InteropServices;
using FwCluster.Capture.Answers;
using FwCluster.Capture.Queue;
using FwCluster.Datapath;
using FwCluster.Datapath.Reject;
using FwCluster.Packets;

namespace FwCluster.Node.Live;

/// <summary>Gives a queue's packets their verdicts, and sends the answers of REJECT rules. On the worker's thread.</summary>
internal sealed class QueueVerdicts(QueuePort port, RejectAnswers answers, AnswerPort answerPort) : IVerdictPort
{
    /// <summary>Where dropped packets are written.</summary>
    public DropLog? Drops { get; set; }

    /// <inheritdoc/>
    public void Decide(in PacketInput input, in PacketOutcome outcome)
    {
        var ticket = input.Ticket;
        if (outcome.Fate != PacketFate.Accepted)
        {
            Drops?.Note(in input, in outcome);
            if (outcome.Fate == PacketFate.Rejected && !answers.Answer.IsEmpty)
                answerPort.Send(answers.Answer, ticket.InIndex != 0 ? ticket.InIndex : ticket.OutIndex);
            port.Drop(ticket.Id);
            return;
        }
        var mark = outcome.Mark != input.Mark ? outcome.Mark : (uint?)null;
        if (!outcome.IsTosChanged)
        {
            port.Accept(ticket.Id, mark);
            return;
        }
        // The port's own memory, or the worker's copy: both may be written to.
        var bytes = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(input.Frame), input.Frame.Length);
        WriteTos(bytes, outcome);
        port.AcceptChanged(ticket.Id, bytes, input.WireLength, ticket.IsChecksumUnfinished, mark);
    }

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
