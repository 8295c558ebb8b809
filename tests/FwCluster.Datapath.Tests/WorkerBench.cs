using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Text;

namespace FwCluster.Datapath.Tests;

/// <summary>A worker with rules from text, fed with bare IP packets.</summary>
internal sealed class WorkerBench
{
    private long _now = 1_700_000_000_000_000_000;

    public WorkerBench(string rules4 = "", string rules6 = "", string local = "", ConntrackSettings? settings = null)
    {
        Rules4 = ActiveRuleset.From(Compile(rules4, IpFamily.IPv4));
        Rules6 = ActiveRuleset.From(Compile(rules6, IpFamily.IPv6));
        var addresses = local.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text =>
        {
            Assert.True(HostAddress.TryParse(text, out var address, out var error), error);
            return address;
        });
        Assert.True(ConnectionHelpers.TryCreate("none", out var helpers, out _));
        Worker = new PacketWorker(Rules4, Rules6,
            new ConnectionTable(settings ?? ConntrackSettings.Default, ConnectionHelpers.AndTheRestForRules(helpers)),
            new HostAddresses([.. addresses]));
    }

    public ActiveRuleset Rules4 { get; }

    public ActiveRuleset Rules6 { get; }

    public PacketWorker Worker { get; }

    public InterfaceName In { get; init; }

    public InterfaceName Out { get; init; }

    public PacketOutcome Send(ReadOnlySpan<byte> packet, LinkType link = LinkType.Raw) => Worker.Process(new PacketInput
    {
        Link = link,
        Frame = packet,
        WireLength = packet.Length,
        Time = _now += 1_000_000,
        In = In,
        Out = Out,
    });

    public string List(TableId table, bool ipv6 = false)
    {
        using var text = new StringWriter();
        var rules = ipv6 ? Rules6 : Rules4;
        ChainListing.Write(text, rules.Rules, rules.Counters, table);
        return text.ToString();
    }

    /// <summary>Packets that rules of a chain and its policy counted: <c>1 0 3 | 0</c>.</summary>
    public string Counts(TableId table, Hook hook, bool ipv6 = false)
    {
        var rules = ipv6 ? Rules6 : Rules4;
        var chain = rules.Rules.ChainOf(table, hook);
        var counts = Enumerable.Range(1, rules.Rules.Chains[chain].Rules.Length).Select(r => rules.Counters.Read(chain, r).Packets);
        return $"{string.Join(' ', counts)} | {rules.Counters.Read(chain, 0).Packets}";
    }

    private static CompiledRuleset Compile(string text, IpFamily family)
    {
        var read = RulesetReader.Read(text.Length == 0 ? "*filter\nCOMMIT\n" : text, "rules", family);
        Assert.True(read.Succeeded, string.Join('\n', read.Errors.Select(e => e.Format())));
        return CompiledRuleset.Compile(read.Of(family)!, seed: 1);
    }
}
