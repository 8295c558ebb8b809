using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Rules.Tests.Generation;
using FwCluster.Rules.Tests.TextTests;

namespace FwCluster.Rules.Tests.Differential;

/// <summary>Random rulesets over the supported language, random packets: every rule and policy counts what the kernel counts.</summary>
public class KernelCountersTests
{
    private const int Rules = 40;
    private const int Packets = 60;

    [KernelTheory]
    [InlineData(IpFamily.IPv4)]
    [InlineData(IpFamily.IPv6)]
    public void Counters_are_the_kernels(IpFamily family)
    {
        using var comparison = new RuleComparison();
        var end = DateTime.UtcNow + Bounds.KernelTime;
        for (var seed = Bounds.Seed; DateTime.UtcNow < end; seed++)
        {
            var rules = RulesOf(seed, family);
            var packets = new PacketGenerator(new Draw(seed, family)).Some(Packets);
            // Twice: the clock's seconds and ticks fall a little differently on either side.
            if (comparison.Difference(family, rules, packets).Length == 0 || comparison.Difference(family, rules, packets).Length == 0) continue;
            Assert.Fail($"seed {seed}\n{comparison.Minimize(family, rules, packets)}");
        }
    }

    private static string RulesOf(int seed, IpFamily family)
    {
        var generator = new RulesetGenerator(new Draw(seed, family)) { Without = ["connlimit", "random", "LOG", "NFLOG"] };
        var text = generator.Text(Rules, "raw", "mangle", "filter");
        // REJECT's answers would meet the rules themselves, and tracking runs only where a rule asks for it.
        var lines = text.Split('\n').Select(l => l.Contains("-j REJECT", StringComparison.Ordinal) ? "" : l).Where(l => l.Length > 0).ToList();
        lines.Insert(lines.IndexOf("*mangle") + 1, ":POSTROUTING ACCEPT [0:0]");
        lines.Insert(lines.IndexOf("COMMIT", lines.IndexOf("*mangle")), "-A POSTROUTING -m conntrack --ctstate NEW");
        // SCTP and DCCP have trackers of their own in the kernel, and are generic here.
        lines.InsertRange(lines.IndexOf("COMMIT"), ["-I PREROUTING -p sctp -j NOTRACK", "-I PREROUTING -p dccp -j NOTRACK"]);
        return string.Join('\n', lines) + "\n";
    }
}
