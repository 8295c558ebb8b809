using System.Text.Json;

namespace FwCluster.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("replay --help")]
    [InlineData("rules --help")]
    [InlineData("rules check --help")]
    [InlineData("completion --help")]
    public void HelpIsThere(string arguments)
    {
        var run = FwctlRun.Of(arguments.Split(' '));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("Usage:", run.Output, StringComparison.Ordinal);
        Assert.Contains("Examples:", run.Output, StringComparison.Ordinal);
        Assert.Contains("fwctl ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TheVersionIsThere() => Assert.StartsWith("0.1.0", FwctlRun.Of("--version").Output, StringComparison.Ordinal);

    [Fact]
    public void WhatIsNoCommandIsSaidOnce()
    {
        var run = FwctlRun.Of("repaly");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("'repaly'", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("Try 'fwctl --help'.\n", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("Try 'fwctl replay --help'.\n", FwctlRun.Of("replay").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RulesCheckPrintsTheCanonicalForm()
    {
        using var files = new TestCapture();
        var script = files.Text("rules", "iptables -A INPUT -p tcp --dport ftp -m state --state ESTABLISHED,NEW -j ACCEPT\nip6tables -P FORWARD DROP\n");
        var run = FwctlRun.Of("rules", "check", script);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal("""
            # iptables
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            -A INPUT -p tcp -m tcp --dport 21 -m state --state NEW,ESTABLISHED -j ACCEPT
            COMMIT
            # ip6tables
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD DROP [0:0]
            :OUTPUT ACCEPT [0:0]
            COMMIT

            """.ReplaceLineEndings("\n"), run.Output);
    }

    [Fact]
    public void RulesCheckSaysEveryMistake()
    {
        using var files = new TestCapture();
        var path = files.Text("rules", "*filter\n-A INPUT -p tcp --dprt 21 -j ACCEPT\n-A NOWHERE -j ACCEPT\nCOMMIT\n");
        var run = FwctlRun.Of("rules", "check", path);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("rules:2:17:", run.Error, StringComparison.Ordinal);
        Assert.Contains("rules:3:4:", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("fwctl: there are 2 mistakes in the rules\n", run.Error, StringComparison.Ordinal);

        run = FwctlRun.Of("rules", "check", path, "--json");
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        using var document = JsonDocument.Parse(run.Output);
        Assert.False(document.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal([2, 3], document.RootElement.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("line").GetInt32()));
    }

    [Theory]
    [InlineData("bash", "fwctl re", "replay ")]
    [InlineData("bash", "fwctl replay x --loc", "--local ")]
    [InlineData("bash", "fwctl replay x --table m", "mangle ")]
    [InlineData("bash", "fwctl completion z", "zsh ")]
    public void TheShellCompletes(string shell, string line, string completed)
    {
        // Bash completes as it does at its prompt: the script's function fills COMPREPLY.
        var script = $$"""
            eval "$(fwctl completion {{shell}})"
            COMP_LINE='{{line}}'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _fwctl; printf '%s ' "${COMPREPLY[@]}"
            """;
        var run = FwctlRun.Shell(script, "/tmp");
        Assert.Equal(("", completed), (run.Error, run.Output));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public void ScriptsForOtherShellsAskFwctl(string shell)
        => Assert.Contains("[suggest:", FwctlRun.Of("completion", shell).Output, StringComparison.Ordinal);
}
