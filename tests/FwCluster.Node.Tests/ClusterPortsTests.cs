using System.Collections;
using FwCluster.Capture.Divert;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.Tests;

/// <summary>The two ports by which nodes talk, as the settings have them.</summary>
public sealed class ClusterPortsTests
{
    /// <summary>Where nothing is said of it, the links' port is the one below.</summary>
    [Theory]
    [InlineData("10.0.0.1", "", 4053, 4052)]
    [InlineData("10.0.0.1:4053", "", 4053, 4052)]
    [InlineData("[fd00::1]:7000", "", 7000, 6999)]
    [InlineData("10.0.0.1:7000", "7001", 7000, 7001)]
    [InlineData("10.0.0.1:2", "", 2, 1)]
    [InlineData("10.0.0.1:1", "65535", 1, 65535)]
    public void EachIsSaidOrFollows(string listen, string link, int port, int linkPort)
    {
        var cluster = Read($"cluster.listen={listen}", $"cluster.link-port={link}").Cluster!;
        Assert.Equal((port, linkPort), (cluster.Port, cluster.LinkPort));
    }

    [Theory]
    [InlineData("10.0.0.1:4053", "4053", "cluster.link-port: 4053 is the port of listen, too; each needs one of its own")]
    [InlineData("10.0.0.1:4053", "0", "cluster.link-port is '0'; it must be a number from 1 to 65535")]
    [InlineData("10.0.0.1:4053", "65536", "cluster.link-port is '65536'; it must be a number from 1 to 65535")]
    [InlineData("10.0.0.1:4053", "4052/tcp", "cluster.link-port is '4052/tcp'; it must be a number from 1 to 65535")]
    [InlineData("10.0.0.1:1", "", "cluster.link-port is ''; it must be a number from 1 to 65535")]
    [InlineData("10.0.0.1:0", "4052", "cluster.listen is '10.0.0.1:0'; it must be an address such as 10.0.0.1:4053")]
    public void AWrongOneIsNamed(string listen, string link, string message)
        => Assert.Contains(message, Assert.Throws<SettingsException>(() => Read($"cluster.listen={listen}", $"cluster.link-port={link}")).Message, StringComparison.Ordinal);

    /// <summary>No mistake in the rules cuts nodes off that have the usual ports, nor their control plane.</summary>
    [Fact]
    public void TheUsualOnesAreExempt()
    {
        var settings = Read("cluster.listen=10.0.0.1");
        Assert.Equal([ExemptPort.Tcp(settings.Cluster!.LinkPort), ExemptPort.Tcp(settings.Cluster.Port), ExemptPort.Tcp(4054)], settings.Divert.ExemptPorts);
    }

    private static NodeSettings Read(params string[] set)
        => SettingsReader.Read(null, new Hashtable(), [.. set, "cluster.key=000102030405060708090a0b0c0d0e0f", "cluster.allow-clear-text=yes"]);
}
