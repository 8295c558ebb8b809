using System.Net;

namespace FwCluster.Cluster.Tests;

public sealed class ClusterSettingsTests
{
    [Theory]
    [InlineData("10.0.0.1", false, false)]
    [InlineData("node1.example", false, false)]
    [InlineData("10.0.0.1", true, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("::1", false, true)]
    [InlineData("localhost", false, true)]
    public void ClearTextIsRefusedWhereOthersHear(string host, bool allow, bool isRight)
    {
        var settings = new ClusterSettings { Key = TestNode.Key, Host = host, AllowClearText = allow };
        if (isRight) settings.Checked();
        else Assert.Contains("allow-clear-text", Assert.Throws<ClusterSettingsException>(settings.Checked).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EachMistakeIsNamed()
    {
        var right = new ClusterSettings { Key = TestNode.Key };
        foreach (var (wrong, word) in new (ClusterSettings, string)[]
        {
            (right with { Key = "abc" }, "key"), (right with { Shards = 0 }, "shards"), (right with { Roles = ["kapture"] }, "kapture"),
            (right with { Roles = [] }, "roles"), (right with { Port = 70000 }, "port"), (right with { LinkPort = 70000 }, "link-port"), (right with { LinkPort = -1 }, "link-port"),
            (right with { LinkPort = ClusterSettings.DefaultPort }, "link-port"), (right with { Name = "a b" }, "name"),
            (right with { Seeds = ["a:b:c"] }, "a:b:c"), (right with { Certificate = "x.pem" }, "missing"), (right with { CertificateAuthority = "x.pem" }, "missing"),
        })
            Assert.Contains(word, Assert.Throws<ClusterSettingsException>(wrong.Checked).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "a", 4053)]
    [InlineData("a.example:1", "a.example", 1)]
    [InlineData("10.0.0.1:5", "10.0.0.1", 5)]
    [InlineData("[::1]", "::1", 4053)]
    [InlineData("[fd00::1]:77", "fd00::1", 77)]
    public void SeedsAreRead(string text, string host, int port) => Assert.Equal((host, port), SeedAddresses.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData(":1")]
    [InlineData("a:0")]
    [InlineData("a:99999")]
    [InlineData("[::1]x")]
    [InlineData("::1")]
    public void WrongSeedsAreNot(string text) => Assert.Throws<ClusterSettingsException>(() => SeedAddresses.Parse(text));

    [Fact]
    public async Task ANameStandsForAllItsAddresses()
    {
        var found = await SeedAddresses.ResolveAsync(["nodes:1", "10.0.0.2:1", "gone"], (name, _) => name == "nodes"
            ? Task.FromResult(new[] { IPAddress.Parse("10.0.0.3"), IPAddress.Parse("10.0.0.2") })
            : throw new System.Net.Sockets.SocketException(), TestContext.Current.CancellationToken);
        Assert.Equal([("10.0.0.2", 1), ("10.0.0.3", 1)], found);
    }

    [Fact]
    public void TheFingerprintShowsWhatNodesMustAgreeOn()
    {
        var one = new ClusterSettings { Key = TestNode.Key };
        Assert.Equal(ClusterConfiguration.Fingerprint(one), ClusterConfiguration.Fingerprint(one with { Port = 1, Roles = ["capture"] }));
        Assert.NotEqual(ClusterConfiguration.Fingerprint(one), ClusterConfiguration.Fingerprint(one with { Shards = 32 }));
        Assert.NotEqual(ClusterConfiguration.Fingerprint(one), ClusterConfiguration.Fingerprint(one with { Key = new string('0', 32) }));
        Assert.DoesNotContain(TestNode.Key[..8], ClusterConfiguration.Fingerprint(one), StringComparison.Ordinal);
    }
}
