using FwCluster.Cli.Replay;
using FwCluster.Conntrack;
using FwCluster.Datapath;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Cli.Output;

/// <summary>Writes what a replay came to as iptables and conntrack print it.</summary>
internal sealed class TextReport(TextWriter output, Replayer replayer, ReplayOptions options, bool showIPv4, bool showIPv6) : IReport
{
    /// <summary>
    /// The chains. The IPv4 chains of one table are byte for byte what <c>iptables -L -v -n -x</c> prints; where there is more to tell
    /// apart, a line before a table says which command would print it.
    /// </summary>
    public void Chains()
    {
        var isFirst = true;
        var blocks = new List<(ActiveRuleset Rules, TableId Table)>();
        if (showIPv4) blocks.AddRange(options.Tables.Where(t => Has(replayer.IPv4, t)).Select(t => (replayer.IPv4, t)));
        if (showIPv6) blocks.AddRange(options.Tables.Where(t => Has(replayer.IPv6, t)).Select(t => (replayer.IPv6, t)));
        foreach (var (rules, table) in blocks)
        {
            if (!isFirst) output.Write('\n');
            isFirst = false;
            if (rules.Rules.Family == IpFamily.IPv6) output.Write($"# ip6tables -t {table.Name()}\n");
            else if (options.Tables.Length > 1) output.Write($"# iptables -t {table.Name()}\n");
            ChainListing.Write(output, rules.Rules, rules.Counters, table);
        }
    }

    public void Connections(IReadOnlyList<(int Index, int References)> connections)
    {
        var (table, now) = (replayer.Worker.Connections, replayer.Worker.Now);
        foreach (var (index, references) in connections)
        {
            output.Write(ConnectionListing.Connection(table, index, references, now));
            output.Write('\n');
        }
    }

    public void Expectations(IReadOnlyList<Expectation> expectations)
    {
        var (table, now) = (replayer.Worker.Connections, replayer.Worker.Now);
        foreach (var expectation in expectations)
        {
            output.Write(ConnectionListing.Expectation(table, expectation, now));
            output.Write('\n');
        }
    }

    private static bool Has(ActiveRuleset rules, TableId table) => rules.Rules.Chains.Any(chain => chain.Table == table);
}
