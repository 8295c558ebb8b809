using System.Text.Json;
using FwCluster.Referee.Lab;

namespace FwCluster.Control.Tests;

/// <summary>The same by JSON over HTTP, as curl asks.</summary>
public sealed class JsonTests
{
    [Fact]
    public async Task CurlAppliesRulesReadsCountersAndListsConnections()
    {
        await using var lab = await ControlLab.StartAsync();
        var rules = JsonSerializer.Serialize(new { rules = new { ipv4 = ControlLab.Rules("-A FORWARD -p udp -m udp --dport 53 -j ACCEPT").Ipv4 }, comment = "by curl" });
        var applied = Curl(lab, "operator", "/v1/ruleset:apply", rules);
        Assert.Equal(("1", "operator-1", "by curl"), (Text(applied, "generation", "number"), Text(applied, "generation", "author"), Text(applied, "generation", "comment")));
        await lab.SendAsync(0, ControlLab.Udp("192.0.2.1", "198.51.100.1", 1000, 53));
        var counters = Curl(lab, "viewer", "/v1/counters?selection.table=filter&selection.chain=FORWARD&selection.family=FAMILY_IPV4");
        Assert.Equal("1", counters.GetProperty("chains")[0].GetProperty("rules")[0].GetProperty("packets").GetString());
        var page = Curl(lab, "viewer", "/v1/conntrack/connections?filter.source=192.0.2.0/24&filter.destinationPort=53");
        Assert.Equal("192.0.2.1", Text(page.GetProperty("connections")[0], "original", "source"));
        Assert.Equal("0", Text(Curl(lab, "viewer", "/v1/conntrack:count?filter.source=192.0.2.9"), "count"));
        Assert.Equal("1", Text(Curl(lab, "viewer", "/v1/ruleset/generations/1"), "generation", "number"));
        Assert.Equal("by curl", Text(Curl(lab, "viewer", "/v1/ruleset/generations").GetProperty("generations")[0], "comment"));
        Assert.Equal("ftp", Text(Curl(lab, "operator", "/v1/helpers/ftp:unload", "{}"), "helper", "name"));
    }

    [Fact]
    public async Task WhatIsRefusedByGrpcIsRefusedByJson()
    {
        await using var lab = await ControlLab.StartAsync();
        Assert.Equal("401", Status(lab, null, "/v1/ruleset"));
        Assert.Equal("401", Status(lab, "expired", "/v1/ruleset"));
        Assert.Equal("401", Status(lab, "stranger", "/v1/ruleset"));
        Assert.Equal("403", Status(lab, "viewer", "/v1/ruleset:apply", "{}"));
        Assert.Equal("400", Status(lab, "operator", "/v1/ruleset:apply", """{"rules":{"ipv4":"nonsense"}}"""));
        Assert.Equal("409", Status(lab, "operator", "/v1/ruleset:apply", """{"expectedGeneration":7}"""));
        Assert.Equal("404", Status(lab, "viewer", "/v1/ruleset/generations/9"));
    }

    private static string Text(JsonElement element, params string[] path)
    {
        foreach (var name in path) element = element.GetProperty(name);
        return element.GetString()!;
    }

    private static JsonElement Curl(ControlLab lab, string? client, string path, string? body = null)
        => JsonDocument.Parse(Command.Run("curl", ["--fail-with-body", .. Arguments(lab, client, path, body)])).RootElement;

    private static string Status(ControlLab lab, string? client, string path, string? body = null)
        => Command.Run("curl", ["-o", "/dev/null", "-w", "%{http_code}", .. Arguments(lab, client, path, body)]);

    private static IEnumerable<string> Arguments(ControlLab lab, string? client, string path, string? body)
    {
        IEnumerable<string> arguments = ["-sS", "--max-time", "20", "--cacert", lab.PathOf("ca.crt"), $"https://{lab.Address.Authority}{path}"];
        if (client is not null) arguments = [.. arguments, "--cert", lab.PathOf(client + ".crt"), "--key", lab.PathOf(client + ".key")];
        return body is null ? arguments : [.. arguments, "-H", "content-type: application/json", "--data", body];
    }
}
