using System.Diagnostics.Metrics;
using FwCluster.Cluster;
using FwCluster.Conntrack;
using FwCluster.Control.Rulesets;
using FwCluster.Node.Live;
using FwCluster.Packets;

namespace FwCluster.Node.Metrics;

/// <content>Connections, the shards that have them, the cluster they are in, and the rules in force.</content>
internal sealed partial class NodeMetrics
{
    private void AddConntrack()
    {
        Level("fwcluster.conntrack.entries", "{entry}", "Connections that this node owns: in a cluster, those of the shards that are here.", sample => [Of(sample.Owned.Entries)]);
        Level("fwcluster.conntrack.limit", "{entry}", "Connections that there may be (nf_conntrack_max); in a cluster, in the whole of it.",
            _ => [new(_settings.Tracking.MaxEntries)]);
        Level("fwcluster.conntrack.granted", "{entry}", "Connections whose packets this node's workers decide by themselves.", sample => [Of(sample.Held)]);
        Counter("fwcluster.conntrack.found", "{packet}", "Packets whose connection was found.", sample => [Of(sample.Found)]);
        Counter("fwcluster.conntrack.inserted", "{entry}", "Connections confirmed.", sample => [Of(sample.Owned.Inserted)]);
        Counter("fwcluster.conntrack.removed", "{entry}", "Connections removed.", sample => [Of(sample.Owned.Removed)]);
        Counter("fwcluster.conntrack.early_drops", "{entry}", "Connections removed before their time, because the table was full.", sample => [Of(sample.Owned.EarlyDropped)]);
        Counter("fwcluster.conntrack.failures", "{packet}", "Packets that tracking could not take, by reason: INVALID, or dropped.",
            sample => Enum.GetValues<TrackFailure>().Where(IsTables).Select(failure => Of(sample.Failures[(int)failure], Tag("reason", Label(failure)))));
        Counter("fwcluster.expectation.created", "{expectation}", "Connections that helpers expected.", sample => [Of(sample.Owned.ExpectationsCreated)]);
        Counter("fwcluster.expectation.met", "{expectation}", "Expected connections that came, and were RELATED.", sample => [Of(sample.Owned.ExpectationsMatched)]);
    }

    private void AddShards()
    {
        Level("fwcluster.shard.entries", "{entry}", "Connections of each shard that is here.",
            sample => sample.Shards.Select(shard => Of(shard.Entries, Tag("shard", shard.Shard))));
        Counter("fwcluster.shard.questions", "{question}", "Questions that the shards here were asked.", sample => ShardWork(sample, work => work.Questions));
        Counter("fwcluster.shard.grants", "{entry}", "Connections granted to one worker.", sample => ShardWork(sample, work => work.Granted));
        Counter("fwcluster.shard.recalls", "{entry}", "Granted connections called back, because another worker asked.", sample => ShardWork(sample, work => work.Recalled));
        Counter("fwcluster.shard.shared", "{entry}", "Connections that came to be shared by workers.", sample => ShardWork(sample, work => work.Shared));
        Counter("fwcluster.shard.impatience", "{wait}", "Waits of shards for another's word that ran out.", sample => ShardWork(sample, work => work.Impatience));
        Counter("fwcluster.shard.claims", "{expectation}", "Expectations that other shards' connections met here.", sample => ShardWork(sample, work => work.Claimed));
    }

    private void AddCluster()
    {
        Level("fwcluster.cluster.members", "{node}", "Members of the cluster that are up, as far as this node knows.", sample => Cluster(sample, node => node.Members.Members));
        Level("fwcluster.cluster.unreachable", "{node}", "Members of the cluster that this node cannot reach.", sample => Cluster(sample, node => node.Members.Unreachable));
        Level("fwcluster.cluster.shards", "{shard}", "Shards that are on this node.", sample => Cluster(sample, node => node.ShardsHere.Count));
        Counter("fwcluster.cluster.questions.elsewhere", "{question}", "Questions that went to other nodes.", sample => Cluster(sample, node => node.Statistics.QuestionsElsewhere));
        Counter("fwcluster.cluster.questions.refused", "{question}", "Questions refused because too many waited.", sample => Cluster(sample, node => node.Statistics.Refused));
        Counter("fwcluster.cluster.questions.repeated", "{question}", "Questions asked again, because whoever had them was gone.",
            sample => Cluster(sample, node => node.Statistics.AskedAgain));
        Counter("fwcluster.cluster.batches", "{message}", "Messages with questions or answers sent to other nodes.", sample => Cluster(sample, node => node.Statistics.BatchesSent));
        Counter("fwcluster.cluster.replies", "{message}", "Messages with answers received from other nodes.", sample => Cluster(sample, node => node.Statistics.RepliesReceived));
        Counter("fwcluster.cluster.forwarded", "{question}", "Questions of other nodes for shards that are not here, sent on.", sample => Cluster(sample, node => node.Statistics.Forwarded));
        Counter("fwcluster.cluster.broken", "{message}", "Messages of other nodes that could not be read.", sample => Cluster(sample, node => node.Statistics.Broken));
        Counter("fwcluster.cluster.distrusted", "{certificate}", "Times that another node's certificate was not believed.", sample => Cluster(sample, node => node.Statistics.Distrusted));
        Counter("fwcluster.cluster.unsent", "{message}", "Messages dropped because another node took nothing, and too much waited for it already.",
            sample => Cluster(sample, node => node.Statistics.Unsent));
        Counter("fwcluster.expectation.announcements", "{message}", "Announcements of expectations to other nodes, for which packets waited.",
            sample => Cluster(sample, node => node.Statistics.Announcements));
        Counter("fwcluster.expectation.acknowledged", "{message}", "Announcements that every node acknowledged in time.",
            sample => Cluster(sample, node => node.Statistics.AnnouncementsAcknowledged));
        Counter("fwcluster.expectation.timeouts", "{message}", "Announcements that some node did not acknowledge in time; the packet went on all the same.",
            sample => Cluster(sample, node => node.Statistics.ExpectationWaitsOver));
    }

    private void AddRuleset()
    {
        Level("fwcluster.rules", "{rule}", "Rules in force, by family.",
            sample => sample.RuleNumbers.Select(n => new Measurement<long>(n.Count, Tag("family", n.Family == IpFamily.IPv6 ? "ipv6" : "ipv4"))));
        Gauge("fwcluster.ruleset.generation", null, "The generation of rules in force.", generation => generation.Number);
        Gauge("fwcluster.ruleset.applied.timestamp", "s", "When the rules in force were applied, seconds since the Unix epoch.", generation => generation.Applied.ToUnixTimeMilliseconds() / 1000.0);
        Gauge("fwcluster.ruleset.unconfirmed", null, "1 while the rules in force wait to be confirmed, else 0.", generation => generation.ConfirmBy is null ? 0 : 1);

        void Gauge(string name, string? unit, string description, Func<RulesetGeneration, double> read) => _meter.CreateObservableGauge(
            name, () => _state.Generation is { } generation ? (Measurement<double>[])[new(read(generation))] : [], unit, description);
    }

    /// <summary>The others are the workers' to count (<c>fwcluster.port.drops</c>), or no failure.</summary>
    private static bool IsTables(TrackFailure failure) => failure is not (TrackFailure.None or TrackFailure.Overload or TrackFailure.Unanswered);

    private static IEnumerable<Measurement<long>> ShardWork(NodeSample sample, Func<ShardCounts, ulong> read) => sample.ShardWork is { } work ? [Of(read(work))] : [];

    private static IEnumerable<Measurement<long>> Cluster(NodeSample sample, Func<ClusterNode, long> read)
        => sample.Gateway.Shards is ClusterShardHost { Node: var node } ? [new(read(node))] : [];
}
