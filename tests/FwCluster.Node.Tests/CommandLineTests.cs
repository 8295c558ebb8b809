using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>A start that refuses what is wrong, and says what it is.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("queue.number=70000", "--set queue.number=70000: queue.number is '70000'; it must be a number from 0 to 65535")]
    [InlineData("mode=inlime", "mode is 'inlime'; it must be mirror or inline")]
    [InlineData("queue.exempt=4053", "queue.exempt is '4053'; it must be ports such as 8443/tcp or 53/udp with commas between, and '4053' is none")]
    [InlineData("drops.files=0", "drops.files is '0'; it must be a number from 1 to 100000")]
    [InlineData("metrics.listen=9405", "metrics.listen is '9405'; it must be an address with a port")]
    [InlineData("metrics.collector=collector:4317", "metrics.collector is 'collector:4317'; it must be an address such as http://192.0.2.1:4317, or empty")]
    [InlineData("rules.follow=yes", "rules.follow is 'yes'; it must be no where there is no control.directory")]
    [InlineData("kubernetes.config-map=rules", "kubernetes.config-map is 'rules'; it must be empty where rules.follow is no")]
    [InlineData("queue.nunber=7", "there is no setting 'queue.nunber'")]
    [InlineData("rules.ipv4=/nowhere", "/nowhere: cannot be read")]
    public void AWrongSettingIsNamed(string setting, string message)
    {
        var result = Command.TryRun(Daemon.Program, ["--check", "--set", setting]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error);
    }

    [Theory]
    [InlineData("*filter\n-A INPUT -s 10.0.0.1 -j DROP\nCOMMIT\n", "*filter\n-A INPUT -s fd00::1 -j DROP\nCOMMIT\n", null)]
    [InlineData("iptables -A INPUT -j DROP\nip6tables -A INPUT -j DROP\n", null, null)]
    [InlineData("", "iptables -A INPUT -j DROP\n", "has IPv4 rules, and is given for IPv6 ones")]
    [InlineData("ip6tables -A INPUT -j DROP\n", "ip6tables -A INPUT -j DROP\n", "have IPv6 rules; give them in one of the two")]
    [InlineData("*filter\n-A INPUT -j DROPP\nCOMMIT\n", "*filter\n-A INPUT -j DROPPP\nCOMMIT\n", "DROPPP")]
    public void RuleFilesAreReadTogether(string ipv4, string? ipv6, string? message)
    {
        var folder = Directory.CreateTempSubdirectory("fwtc").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "ipv4"), ipv4);
            File.WriteAllText(Path.Combine(folder, "ipv6"), ipv6);
            var result = Command.TryRun(Daemon.Program, ["--check", "--set", $"rules.ipv4={folder}/ipv4", "--set", $"rules.ipv6={(ipv6 is null ? "" : $"{folder}/ipv6")}"]);
            Assert.Equal(message is null ? 0 : 1, result.ExitCode);
            Assert.Contains(message ?? "configuration and rules are right", result.Error + result.Output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void AStateSocketThatCannotBeIsRefusedBeforePacketsAreDecided()
    {
        var file = Path.GetTempFileName();
        try
        {
            var result = Command.TryRun(Daemon.Program, ["--set", "mirror.interfaces=lo", "--set", $"state.socket={file}/state"]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains($"state.socket is '{file}/state', which cannot be used", result.Error);
            Assert.DoesNotContain("Running", result.Output);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
