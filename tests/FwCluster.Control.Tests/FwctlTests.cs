using FwCluster.Cli;
using FwCluster.Referee.Packets;

namespace FwCluster.Control.Tests;

/// <summary>fwctl over the control plane.</summary>
[Collection(Alone.Name)]
public sealed class FwctlTests
{
    private const string Web = "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT";
    private const string Names = "-A FORWARD -p udp -m udp --dport 53 -j ACCEPT";

    [Fact]
    public async Task RulesAreAppliedShownAndBroughtBack()
    {
        await using var lab = await ControlLab.StartAsync();
        var run = new Runs(lab);
        var file = lab.PathOf("rules.v4");
        File.WriteAllText(file, ControlLab.Rules(Web).Ipv4);
        Assert.Equal((0, "generation 1 is in force\n"), run.CodeAndError("rules", "apply", file, "--comment", "web"));
        File.WriteAllText(file, ControlLab.Rules(Web, Names).Ipv4);
        var diff = run.Output("rules", "diff", file);
        Assert.StartsWith("--- ipv4\n+++ ipv4\n@@ -3,4 +3,5 @@\n", diff, StringComparison.Ordinal);
        Assert.Contains($"\n {Web}\n+{Names}\n", diff, StringComparison.Ordinal);
        Assert.Equal(diff, run.Output("rules", "apply", file, "--expect", "1"));
        Assert.Equal((5, "fwctl: the rules were to follow generation 1, but generation 2 is in force\n"), run.CodeAndError("rules", "apply", file, "--expect", "1"));
        Assert.Equal(ControlLab.Rules(Web, Names).Ipv4, run.Output("rules", "show"));
        Assert.Equal(ControlLab.Rules(Web).Ipv4, run.Output("rules", "show", "1"));
        Assert.Equal((0, "generation 3 is in force\n"), run.CodeAndError("rules", "rollback"));
        Assert.Matches("^     3  .*admin-1 .*\\(the rules of 1\\)\n     2  .*\n     1  .*  admin-1 +web\n$", run.Output("rules", "history"));
        Assert.Contains("\"number\": \"3\"", run.Output("rules", "show", "--json"), StringComparison.Ordinal);

        File.WriteAllText(file, ControlLab.Rules("-A FORWARD -p tcp --dport 99999 -j ACCEPT").Ipv4);
        var (code, error) = run.CodeAndError("rules", "apply", file);
        Assert.Equal(1, code);
        Assert.StartsWith($"{file}:5:", error, StringComparison.Ordinal);
        Assert.Contains("    ", error, StringComparison.Ordinal);
        Assert.EndsWith("fwctl: there is 1 mistake in the rules, so nothing was changed\n", error, StringComparison.Ordinal);

        File.WriteAllText(file, ControlLab.Rules(Names).Ipv4);
        var (_, told) = run.CodeAndError("rules", "apply", file, "--confirm-within", "60");
        Assert.EndsWith("UTC unless you say: fwctl rules confirm 4\n", told, StringComparison.Ordinal);
        Assert.Equal((0, "generation 4 stays\n"), run.CodeAndError("rules", "confirm"));
    }

    /// <summary>A file of IPv4 rules does not open IPv6; an empty one for IPv6 does.</summary>
    [Fact]
    public async Task WhatIsNotGivenStaysAsItIs()
    {
        await using var lab = await ControlLab.StartAsync();
        var run = new Runs(lab);
        var (ipv4, ipv6, sets) = (lab.PathOf("rules.v4"), lab.PathOf("rules.v6"), lab.PathOf("sets"));
        const string Closed = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
        const string Known = "-A FORWARD -m set --match-set known src -j ACCEPT";
        File.WriteAllText(ipv4, ControlLab.Rules(Web).Ipv4);
        File.WriteAllText(ipv6, Closed);
        File.WriteAllText(sets, "create known hash:ip family inet\nadd known 192.0.2.1\n");
        run.Output("rules", "apply", ipv4, "--rules6", ipv6, "--sets", sets);

        File.WriteAllText(ipv4, ControlLab.Rules(Known).Ipv4);
        Assert.DoesNotContain("ipv6", run.Output("rules", "diff", ipv4), StringComparison.Ordinal);
        run.Output("rules", "apply", ipv4);
        Assert.Equal(ControlLab.Rules(Known).Ipv4, run.Output("rules", "show"));
        Assert.Equal(Closed, run.Output("rules", "show", "-6"));
        Assert.Contains("add known 192.0.2.1", run.Output("rules", "show", "--sets"), StringComparison.Ordinal);

        run.Output("rules", "apply", "--rules6", "/dev/null", "--expect", "2");
        Assert.Equal(ControlLab.Rules(Known).Ipv4, run.Output("rules", "show"));
        Assert.DoesNotContain("DROP", run.Output("rules", "show", "-6"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CountersAreListedAsIptablesListsThem()
    {
        await using var lab = await ControlLab.StartAsync();
        var run = new Runs(lab);
        File.WriteAllText(lab.PathOf("rules.v4"), ControlLab.Rules(Names).Ipv4);
        run.Output("rules", "apply", lab.PathOf("rules.v4"));
        await lab.SendAsync(0, ControlLab.Udp("192.0.2.1", "192.0.2.2", 1, 53), ControlLab.Udp("192.0.2.1", "192.0.2.2", 1, 54));
        const string Listing = """
            Chain FORWARD (policy ACCEPT 1 packets, 33 bytes)
                pkts      bytes target     prot opt in     out     source               destination         
                   1       33 ACCEPT     17   --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:53

            """;
        Assert.Equal(Listing.ReplaceLineEndings("\n"), run.Output("list", "--chain", "FORWARD"));
        Assert.StartsWith("Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n", run.Output("counters", "list", "--zero"), StringComparison.Ordinal);
        Assert.StartsWith("Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n", run.Output("list", "--chain", "FORWARD"), StringComparison.Ordinal);
        Assert.Equal("", run.Output("counters", "zero"));
    }

    [Fact]
    public async Task WhatIsTrackedIsPrintedAsConntrackPrintsIt()
    {
        await using var lab = await ControlLab.StartAsync();
        var run = new Runs(lab);
        var there = PacketAddresses.Parse("192.0.2.1", "198.51.100.1");
        await lab.SendAsync(0, PacketBuilder.Udp(there, 1000, 53), PacketBuilder.Udp(there.Reversed, 53, 1000), PacketBuilder.Echo(there, 7, 1));
        // What the daemon itself would print of its table, but for the seconds that go by.
        var expected = await lab.Workers[0].Ask(w => w.Connections.Connections(w.Now)
            .Select(i => Conntrack.ConnectionListing.Connection(w.Connections, i, 0, w.Now) + "\n").ToArray());
        Assert.Equal(string.Concat(expected), run.Output("conntrack", "list"));
        Assert.Equal(expected.Single(l => l.Contains("icmp", StringComparison.Ordinal)), run.Output("conntrack", "list", "-p", "icmp"));
        Assert.Equal("2\n", run.Output("conntrack", "count"));
        Assert.Equal((1, "fwctl: the filter is empty; where everything is meant, all must be set\n"), run.CodeAndError("conntrack", "delete"));
        Assert.Equal((0, "1 connections were deleted\n"), run.CodeAndError("conntrack", "delete", "-p", "udp"));
        Assert.StartsWith("node=alone shard=0 entries=1 ", run.Output("conntrack", "stats"), StringComparison.Ordinal);
        Assert.Equal("ftp      tcp  21             not loaded\n", run.Output("helper", "unload", "ftp"));
        Assert.Equal("", run.Output("expect", "list"));
    }

    [Fact]
    public async Task AContextSaysWhereAndAsWhom()
    {
        await using var lab = await ControlLab.StartAsync();
        File.WriteAllText(lab.PathOf("fwctl.yaml"), $"""
            current: lab
            contexts:
              lab:
                endpoints: ["127.0.0.1:1", "{lab.Address.Authority}"]
                authority: ca.crt
                certificate: viewer.crt
                key: viewer.key
              typo:
                endpoint: [a]
            """);
        Environment.SetEnvironmentVariable("FWCTL_CONFIG", lab.PathOf("fwctl.yaml"));
        try
        {
            Assert.Equal((0, ""), Runs.Run("conntrack", "count") is var counted ? (counted.Code, counted.Error) : default);
            Assert.Equal(4, Runs.Run("counters", "zero").Code);
            Assert.Contains("a context has no 'endpoint'", Runs.Run("conntrack", "count", "--context", "typo").Error, StringComparison.Ordinal);
            Assert.Contains("there is no context 'else'", Runs.Run("conntrack", "count", "--context", "else").Error, StringComparison.Ordinal);
            Assert.Equal(0, Runs.Run("conntrack", "count", "--endpoint", $"unix:{lab.Settings.Socket}").Code);
            Assert.Equal(3, Runs.Run("conntrack", "count", "--endpoint", "127.0.0.1:1").Code);
        }
        finally
        {
            Environment.SetEnvironmentVariable("FWCTL_CONFIG", null);
        }
    }

    private sealed class Runs(ControlLab lab)
    {
        public string Output(params string[] words)
        {
            var (code, output, error) = Run(With(words));
            Assert.True(code == 0, error);
            return output;
        }

        public (int Code, string Error) CodeAndError(params string[] words) => Run(With(words)) is var run ? (run.Code, run.Error) : default;

        public static (int Code, string Output, string Error) Run(params string[] words)
        {
            using var output = new StringWriter { NewLine = "\n" };
            using var error = new StringWriter { NewLine = "\n" };
            return (Fwctl.Run(words, output, error), output.ToString(), error.ToString());
        }

        private string[] With(string[] words) =>
        [
            .. words, "--endpoint", lab.Address.Authority, "--authority", lab.PathOf("ca.crt"), "--certificate", lab.PathOf("admin.crt"), "--key", lab.PathOf("admin.key"),
        ];
    }
}
