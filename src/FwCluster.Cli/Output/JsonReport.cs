using System.Globalization;
using System.Text.Json;
using FwCluster.Capture.Files;
using FwCluster.Cli.Replay;
using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Cli.Output;

/// <summary>Writes what a replay came to as JSON: one document a line, packets first.</summary>
internal sealed class JsonReport(TextWriter output, Replayer replayer, ReplayOptions options) : IPacketPrinter, IReport
{
    public void Print(in CapturedPacket packet, in PacketOutcome outcome, in PacketVerdict verdict)
    {
        var decided = outcome.IsDecidedByRules;
        var rules = outcome.Family == IpFamily.IPv6 ? replayer.IPv6.Rules : replayer.IPv4.Rules;
        var chain = decided && outcome.Decision.Chain >= 0 ? rules.Chains[outcome.Decision.Chain] : null;
        Write(JsonSerializer.Serialize(
            new PacketDocument(
                packet.Number,
                Time(packet.Timestamp),
                Camel(outcome.Fate),
                outcome.State == ConntrackState.None ? null : verdict.State,
                decided || outcome.Fate == PacketFate.TrackingDropped ? verdict.Verdict : null,
                outcome.Family == IpFamily.None ? null : Name(outcome.Family),
                chain?.Table.Name(),
                chain?.Name,
                chain is null ? null : outcome.Decision.Rule,
                outcome.Failure == TrackFailure.None ? null : Camel(outcome.Failure)),
            DocumentContext.Output.PacketDocument));
    }

    public void Chains()
    {
        var chains = new List<ChainDocument>();
        foreach (var rules in new[] { replayer.IPv4, replayer.IPv6 })
        {
            for (var c = 0; c < rules.Rules.Chains.Length; c++)
            {
                var chain = rules.Rules.Chains[c];
                if (!options.Tables.Contains(chain.Table)) continue;
                var policy = chain.Model.Hook is null ? default(Rules.Model.RuleCounters?) : rules.Counters.Read(c, 0);
                chains.Add(new ChainDocument(
                    Name(rules.Rules.Family), chain.Table.Name(), chain.Name,
                    policy is null ? null : chain.Model.Policy == Verdict.Drop ? "DROP" : "ACCEPT", policy?.Packets, policy?.Bytes,
                    [.. chain.Rules.Select((rule, r) =>
                    {
                        var counted = rules.Counters.Read(c, r + 1);
                        return new RuleDocument(r + 1, counted.Packets, counted.Bytes, RulesetWriter.Write(chain.Name, rule));
                    })]));
            }
        }
        Write(JsonSerializer.Serialize(new ChainsDocument(chains, Capture()), DocumentContext.Output.ChainsDocument));
    }

    public void Connections(IReadOnlyList<(int Index, int References)> connections)
    {
        var (table, now) = (replayer.Worker.Connections, replayer.Worker.Now);
        Write(JsonSerializer.Serialize(
            new ConnectionsDocument([.. connections.Select(c => Connection(table, c.Index, now))]),
            DocumentContext.Output.ConnectionsDocument));
    }

    public void Expectations(IReadOnlyList<Expectation> expectations)
    {
        var (table, now) = (replayer.Worker.Connections, replayer.Worker.Now);
        Write(JsonSerializer.Serialize(
            new ExpectationsDocument([.. expectations.Select(e => Expectation(table, e, now))]),
            DocumentContext.Output.ExpectationsDocument));
    }

    private CaptureDocument Capture()
    {
        var statistics = replayer.Worker.Statistics;
        var fates = Enum.GetValues<PacketFate>().Where(fate => fate != PacketFate.Held).ToDictionary(Camel, fate => statistics[fate]);
        var broken = replayer.Break is { } b ? new BreakDocument(b.Packet, b.Offset, b.Reason) : null;
        return new CaptureDocument(replayer.PacketCount, statistics.IPv4, statistics.IPv6, fates, broken);
    }

    private static ConnectionDocument Connection(ConnectionTable table, int index, long now)
    {
        ref var connection = ref table[index];
        var tuple = connection.Original;
        return new ConnectionDocument(
            Name(tuple.Family), ConnectionListing.ProtocolName(tuple.Protocol), tuple.Protocol, ConnectionListing.SecondsLeft(connection, now),
            ConnectionListing.ProtocolState(in connection),
            Flow(tuple, connection.OriginalCounters), Flow(connection.Reply, connection.ReplyCounters),
            (connection.Status & ConnectionStatus.SeenReply) != 0, (connection.Status & ConnectionStatus.Assured) != 0,
            (connection.Status & ConnectionStatus.Expected) != 0, connection.Mark, connection.Zone,
            connection.ZoneDirections switch
            {
                ZoneDirections.Original => "original",
                ZoneDirections.Reply => "reply",
                _ => null,
            },
            connection.Helper == 0 ? null : table.Helpers[connection.Helper - 1].Name, Time(connection.Started));
    }

    private static ExpectationDocument Expectation(ConnectionTable table, Expectation expectation, long now)
    {
        var tuple = expectation.Tuple;
        return new ExpectationDocument(
            Name(tuple.Family), ConnectionListing.ProtocolName(tuple.Protocol), tuple.Protocol, (expectation.Expires - now) / 1_000_000_000,
            expectation.MatchSourceAddress ? tuple.Source.ToString(tuple.Family) : null,
            expectation.MatchSourcePort ? tuple.SourcePort : null, tuple.Destination.ToString(tuple.Family), tuple.DestinationPort,
            expectation.Permanent, ConnectionListing.HelperOf(table, expectation), Flow(table[expectation.Master].Original, null));
    }

    private static FlowDocument Flow(in FlowTuple tuple, FlowCounters? counters)
    {
        var isIcmp = tuple.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;
        var isGre = tuple.Protocol == IpProtocol.Gre;
        var hasPorts = tuple.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp;
        return new FlowDocument(
            tuple.Source.ToString(tuple.Family), tuple.Destination.ToString(tuple.Family),
            hasPorts ? tuple.SourcePort : null, hasPorts ? tuple.DestinationPort : null,
            isIcmp ? tuple.IcmpType : null, isIcmp ? tuple.IcmpCode : null, isIcmp ? tuple.SourcePort : null,
            isGre ? tuple.SourcePort : null, isGre ? tuple.DestinationPort : null, counters?.Packets, counters?.Bytes);
    }

    private void Write(string document)
    {
        output.Write(document);
        output.Write('\n');
    }

    private static string Name(IpFamily family) => family == IpFamily.IPv6 ? "ipv6" : "ipv4";

    private static string Time(long nanoseconds)
        => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1_000_000_000}.{nanoseconds % 1_000_000_000:d9}");

    private static string Camel<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }
}
