namespace FwCluster.Chart.Tests;

/// <summary>Wrong values, and what is said of them.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("cluster.shard=64", "cluster: Additional property shard is not allowed")]
    [InlineData("gatway.drainSeconds=1", "Additional property gatway is not allowed")]
    [InlineData("control.persistence.sise=1Gi", "control.persistence: Additional property sise is not allowed")]
    [InlineData("gateways.resources.request=1", "gateways.resources: Additional property request is not allowed")]
    [InlineData("cluster.shards=many", "cluster.shards: Invalid type. Expected: integer, given: string")]
    [InlineData("podDisruptionBudget.enabled=3", "podDisruptionBudget.enabled: Invalid type. Expected: boolean, given: integer")]
    [InlineData("control.port=70000", "control.port: Must be less than or equal to 65535")]
    [InlineData("mode=both", "mode: mode must be one of the following: \"split\", \"all-in-one\"")]
    [InlineData("cluster.key=secret", "cluster.key: Does not match pattern")]
    [InlineData("image.digest=latest", "image.digest: Does not match pattern")]
    [InlineData("control.replicas=4", "control.replicas is 4; it must be odd")]
    [InlineData("tls.source=secret", "tls.source is 'secret' and tls.secretName is empty; it must name a Secret with tls.crt, tls.key and ca.crt")]
    [InlineData("tls.secretName=mine", "tls.secretName is 'mine' and tls.source is 'generated'")]
    [InlineData("cluster.linkPort=0", "cluster.linkPort: Must be greater than or equal to 1")]
    [InlineData("health.port=4053", "cluster.port, cluster.linkPort, control.port, health.port and metrics.port must differ")]
    [InlineData("cluster.port=4052", "cluster.port, cluster.linkPort, control.port, health.port and metrics.port must differ")]
    [InlineData("cluster.linkPort=4054", "cluster.port, cluster.linkPort, control.port, health.port and metrics.port must differ")]
    [InlineData("metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.enabled is true and metrics.enabled is false")]
    [InlineData("metrics.serviceMonitor.interval=often", "metrics.serviceMonitor.interval: Does not match pattern")]
    [InlineData("metrics.dashbord.enabled=true", "metrics: Additional property dashbord is not allowed")]
    [InlineData("gateways.drainSeconds=60", "gateways.terminationGracePeriodSeconds must be more than gateways.drainSeconds")]
    public void WrongValuesAreRefused(string value, string message)
    {
        var result = ChartRenderer.TryRender("-set", value);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }
}
