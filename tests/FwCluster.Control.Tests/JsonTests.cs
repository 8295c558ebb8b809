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

    [Fact]
    public async Task OpenApiDescribesEveryMethodThatHasAPath()
    {
        await using var lab = await ControlLab.StartAsync();
        Assert.Equal("401", Status(lab, null, "/v1/openapi.json"));
        var document = Curl(lab, "viewer", "/v1/openapi.json");
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject()).Select(o => o.Value).ToArray();
        // Every method of the API has a path; one has two.
        Assert.Equal(Access.MethodPolicy.All.Count(m => m.Key.StartsWith("/fwcluster.", StringComparison.Ordinal)) + 1, operations.Length);
        Assert.All(operations, o => Assert.True(o.GetProperty("description").GetString()!.Length > 10 && o.GetProperty("x-role").GetString()!.Length > 0, o.ToString()));
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var field in schemas.EnumerateObject().Where(s => s.Value.GetProperty("properties").ValueKind == JsonValueKind.Object))
            Assert.All(field.Value.GetProperty("properties").EnumerateObject(), p => Assert.True(p.Value.GetProperty("description").GetString()!.Length > 3, $"{field.Name}.{p.Name}"));
        // What is named is there.
        Assert.All(System.Text.RegularExpressions.Regex.Matches(document.ToString(), "#/components/schemas/(\\w+)"), m => Assert.True(schemas.TryGetProperty(m.Groups[1].Value, out _), m.Value));
        var list = document.GetProperty("paths").GetProperty("/v1/conntrack/connections").GetProperty("get").GetProperty("parameters").EnumerateArray();
        Assert.Contains(list, p => p.GetProperty("name").GetString() == "filter.destinationPort" && p.GetProperty("description").GetString() == "Destination port of the original direction.");
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
