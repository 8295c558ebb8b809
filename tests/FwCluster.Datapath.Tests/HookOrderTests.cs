using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Datapath.Tests;

/// <summary>The ways through the hooks, with rules that count at each of them: the kernel's counters are the expectation.</summary>
public class HookOrderTests
{
    private const string States = """
        -A CHAIN -m state --state INVALID
        -A CHAIN -m state --state NEW
        -A CHAIN -m state --state ESTABLISHED
        -A CHAIN -m state --state RELATED
        -A CHAIN -m state --state UNTRACKED
        -A CHAIN -p tcp --dport 666 -j DROP
        """;

    // With policies: without, iptables over nf_tables does not count for them.
    // The router's own answers are dropped before tracking and rules see them: a replay has only what came in.
    private static string Rules(bool ipv6) => $"""
        *raw
        :PREROUTING ACCEPT [0:0]
        -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
        {Count("PREROUTING", 1)}
        -A OUTPUT -j DROP
        COMMIT
        *mangle
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        {Count("PREROUTING", 2)}
        {Count("INPUT", 3)}
        {Count("FORWARD", 4)}
        {Count("POSTROUTING", 5)}
        COMMIT
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        -N sub
        {Count("INPUT", 6)}
        {Count("FORWARD", 7)}
        -A FORWARD -p tcp -g sub
        -A FORWARD -p udp -j sub
        -A FORWARD {(ipv6 ? "-p ipv6-icmp -j REJECT" : "-p icmp -j REJECT")}
        {Count("sub", 8)}
        COMMIT

        """;

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void EveryHookCountsWhatTheKernelCounts(bool ipv6)
    {
        var (a, b, us, many) = ipv6 ? ("2001:db8::a", "2001:db8:1::b", "2001:db8::1", "ff02::1") : ("10.0.0.10", "10.1.0.11", "10.0.0.1", "224.0.0.1");
        var rules = Rules(ipv6);
        using var referee = new KernelReferee(new RefereeOptions
        {
            Rules4 = ipv6 ? null : rules,
            Rules6 = ipv6 ? rules : null,
            LocalAddresses = [us],
        });
        var bench = ipv6 ? new WorkerBench(rules6: rules, local: us) : new WorkerBench(rules, local: us);

        if (ipv6) WaitForMulticast(referee);
        foreach (var packet in Packets(a, b, us, many))
        {
            referee.Send(packet);
            bench.Send(packet);
        }

        foreach (var table in Enum.GetValues<TableId>())
            Assert.Equal(WithoutOutput(referee.ListRules(table.Name(), ipv6)), WithoutOutput(bench.List(table, ipv6)));
    }

    /// <summary>The kernel takes multicast in once it has noticed that the link is up, which may take it a second.</summary>
    private static void WaitForMulticast(KernelReferee referee)
    {
        var limit = DateTime.UtcNow.AddSeconds(10);
        while (!referee.Router.Ip("-6 route show table local").Contains("ff00::/8 dev rin", StringComparison.Ordinal))
        {
            Assert.True(DateTime.UtcNow < limit, "the router never got its multicast route");
            Thread.Sleep(20);
        }
    }

    private static IEnumerable<byte[]> Packets(string a, string b, string us, string many)
    {
        var through = PacketAddresses.Parse(a, b);
        var toUs = PacketAddresses.Parse(a, us);
        foreach (var addresses in new[] { through, toUs })
        {
            yield return PacketBuilder.Tcp(addresses, 1000, 80, TcpFlags.Syn, sequence: 100);
            // What we answer would not come in: only the other host's answers do.
            if (addresses == through) yield return PacketBuilder.Tcp(addresses.Reversed, 80, 1000, TcpFlags.Syn | TcpFlags.Ack, sequence: 500, acknowledgment: 101);
            yield return PacketBuilder.Tcp(addresses, 1000, 80, TcpFlags.Ack, sequence: 101, acknowledgment: 501);
            yield return PacketBuilder.Tcp(addresses, 1000, 80, TcpFlags.Ack | TcpFlags.Rst | TcpFlags.Syn, sequence: 101);
            yield return PacketBuilder.Tcp(addresses, 1001, 80, TcpFlags.Fin | TcpFlags.Syn, sequence: 1);
            yield return PacketBuilder.Udp(addresses, 5, 6, "hello"u8);
            yield return PacketBuilder.Udp(addresses, 5, 6, "hello again"u8);
            yield return PacketBuilder.Echo(addresses, 7, 1);
            yield return PacketBuilder.Echo(addresses, 7, 2, reply: true);
            if (addresses == through) yield return PacketBuilder.Echo(addresses.Reversed, 7, 1, reply: true);
            // Fragments: held but the last, and counted once, whole.
            var large = PacketBuilder.Udp(addresses, 9, 10, new byte[3000]);
            foreach (var fragment in PacketBuilder.Fragment(large, 77, 1400, 1400)) yield return fragment;
            yield return PacketBuilder.Fragment(large, 78, 1400, 1400)[1];
            // Dropped in mangle POSTROUTING or before: no entry stays, so the second is NEW again.
            yield return PacketBuilder.Tcp(addresses, 1002, 666, TcpFlags.Syn, sequence: 1);
            yield return PacketBuilder.Tcp(addresses, 1002, 666, TcpFlags.Syn, sequence: 1);
        }
        yield return PacketBuilder.Udp(PacketAddresses.Parse(a, many), 5, 6, "to all"u8);
        yield return PacketBuilder.Udp(PacketAddresses.Parse(a, many), 5, 6, "to all"u8);
    }

    /// <summary>Rules that count at a chain: each state; and one that drops at one of the chains only, each with a port of its own.</summary>
    private static string Count(string chain, int port)
        => States.Replace("CHAIN", chain, StringComparison.Ordinal).Replace("666", port == 5 ? "666" : $"{60000 + port}", StringComparison.Ordinal);

    private static string WithoutOutput(string listing)
        => string.Join("\n\n", listing.Split("\n\n").Where(chain => !chain.StartsWith("Chain OUTPUT", StringComparison.Ordinal))).TrimEnd('\n');
}
