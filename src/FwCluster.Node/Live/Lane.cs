using FwCluster.Capture.Answers;
using FwCluster.Datapath;
using FwCluster.Datapath.Reject;

namespace FwCluster.Node.Live;

/// <summary>One port with what serves it: a worker on a thread of its own, and where it writes.</summary>
/// <param name="Loop">The thread, with port and worker.</param>
/// <param name="Log">What LOG and NFLOG rules meet.</param>
/// <param name="Drops">The way into the files of dropped packets.</param>
/// <param name="Answers">What REJECT rules answer; null where nothing is enforced.</param>
/// <param name="AnswerPort">What sends the answers; null where nothing is enforced.</param>
internal sealed record Lane(PortLoop Loop, PacketLog Log, DropLog Drops, RejectAnswers? Answers, AnswerPort? AnswerPort) : IDisposable
{
    /// <summary>The worker.</summary>
    public PacketWorker Worker => Loop.Worker;

    /// <inheritdoc/>
    public void Dispose()
    {
        Loop.Dispose();
        Log.Dispose();
    }
}
