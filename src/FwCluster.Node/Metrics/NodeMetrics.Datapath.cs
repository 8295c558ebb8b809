using System.Diagnostics.Metrics;
using FwCluster.Datapath;
using FwCluster.Node.Live;

namespace FwCluster.Node.Metrics;

/// <content>Ports, the packets that pass them, and what is written of these.</content>
internal sealed partial class NodeMetrics
{
    // Held is no end: a held packet is counted with what becomes of it.
    private static readonly PacketFate[] Fates = [.. Enum.GetValues<PacketFate>().Where(fate => fate != PacketFate.Held)];

    private void AddPorts()
    {
        Counter("fwcluster.port.packets", "{packet}", "Packets taken from a port, by what became of them.",
            sample => EachPort(sample, (lane, counts) => Fates.Select(fate
                => Of(lane.Worker.Statistics[fate], Tag("port", counts.Name), Tag("kind", counts.Kind), Tag("fate", Label(fate))))));
        Counter("fwcluster.port.ip.packets", "{packet}", "Packets that reached rules, by family.",
            sample => EachPort(sample, (lane, counts) =>
            [
                Of(lane.Worker.Statistics.IPv4, Tag("port", counts.Name), Tag("family", "ipv4")),
                Of(lane.Worker.Statistics.IPv6, Tag("port", counts.Name), Tag("family", "ipv6")),
            ]));
        Counter("fwcluster.port.drops", "{packet}", "Packets that did not pass, by reason.",
            sample => EachPort(sample, (lane, counts) => Drops(lane.Worker.Statistics, counts).Select(drop
                => Of(drop.Count, Tag("port", counts.Name), Tag("reason", drop.Reason)))));
        Level("fwcluster.port.waiting", "{packet}", "Packets that wait in the kernel for the daemon.",
            sample => EachPort(sample, (_, counts) => counts.Waiting is { } waiting ? [Of(waiting, Tag("port", counts.Name))] : []));
        Level("fwcluster.held", "{packet}", "Packets that wait for the answer of a shard.",
            sample => EachPort(sample, (lane, counts) => [new(lane.Worker.HeldCount, Tag("port", counts.Name))]));
        Counter("fwcluster.questions", "{question}", "Questions that workers asked shards.",
            sample => EachPort(sample, (lane, counts) => [Of(lane.Worker.Statistics.Questions, Tag("port", counts.Name))]));
    }

    private void AddOutputs()
    {
        Counter("fwcluster.log.lost", "{line}", "Lines of LOG and NFLOG rules that found no room.", sample => [new(sample.Gateway.Lanes.Sum(lane => lane.Log.Lost))]);
        Counter("fwcluster.drop_files.packets", "{packet}", "Dropped packets for the files of dropped packets, by outcome.",
            sample => sample.Gateway.Drops.Writer is { } drops
                ? [new(drops.Written, Tag("outcome", "written")), new(drops.Lost, Tag("outcome", "lost")), new(drops.Failed, Tag("outcome", "failed"))]
                : []);
        Counter("fwcluster.answers", "{packet}", "Answers of REJECT rules, by outcome.", sample => sample.Gateway.Lanes is not [{ Answers: not null }, ..]
            ? []
            :
            [
                new(sample.Gateway.Lanes.Sum(lane => lane.AnswerPort!.Sent), Tag("outcome", "sent")),
                new(sample.Gateway.Lanes.Sum(lane => lane.AnswerPort!.Failed), Tag("outcome", "failed")),
                new(sample.Gateway.Lanes.Sum(lane => (long)lane.Answers!.Limited), Tag("outcome", "limited")),
            ]);
    }

    private static IEnumerable<Measurement<long>> EachPort(NodeSample sample, Func<Lane, PortCounts, IEnumerable<Measurement<long>>> observe)
        => sample.Gateway.Lanes.Zip(sample.Ports).SelectMany(port => observe(port.First, port.Second));

    private static IEnumerable<(string Reason, ulong Count)> Drops(WorkerStatistics seen, PortCounts counts) =>
    [
        ("rules", seen[PacketFate.Dropped] - seen.HotDropped),
        ("match", seen.HotDropped),
        ("reject", seen[PacketFate.Rejected]),
        ("overload", seen.Overloaded),
        ("unanswered", seen.Unanswered),
        ("tracking", seen[PacketFate.TrackingDropped] - seen.Overloaded - seen.Unanswered),
        ("bad_header", seen[PacketFate.BadHeader]),
        ("fragment", seen[PacketFate.FragmentDropped]),
        ("port_full", counts.Lost),
    ];
}
