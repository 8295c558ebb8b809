using FwCluster.Api.V1;
using FwCluster.Control.Access;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;

namespace FwCluster.Control.Tests;

/// <summary>Who gets in: every method, as the server's own reflection lists them, so that none can be forgotten.</summary>
public sealed class AccessTests
{
    /// <summary>What nodes ask each other; as above.</summary>
    private static readonly string[] ForNodes =
    [
        "/fwcluster.v1.CaptureService/ListPorts", "/fwcluster.v1.ClusterService/Drain", "/fwcluster.v1.ClusterService/ListShards",
        "/fwcluster.v1.ClusterService/Status", "/fwcluster.v1.ConntrackService/Count", "/fwcluster.v1.ConntrackService/Delete",
        "/fwcluster.v1.ConntrackService/DeleteExpectations", "/fwcluster.v1.ConntrackService/List", "/fwcluster.v1.ConntrackService/ListExpectations",
        "/fwcluster.v1.ConntrackService/Statistics", "/fwcluster.v1.ConntrackService/Watch", "/fwcluster.v1.CountersService/Read",
        "/fwcluster.v1.CountersService/ReadAndZero", "/fwcluster.v1.CountersService/Zero", "/fwcluster.v1.HelperService/List",
        "/fwcluster.v1.HelperService/Load", "/fwcluster.v1.HelperService/Unload", "/fwcluster.v1.SettingsService/Get", "/fwcluster.v1.SettingsService/Set",
    ];

    private static readonly Marshaller<byte[]> Bytes = new(b => b, b => b);

    /// <summary>Roles by method as they are meant to be. Stands here a second time on purpose: who changes the one has to mean it.</summary>
    private static readonly Dictionary<string, Role> Takes = new()
    {
        ["/fwcluster.v1.RulesetService/Apply"] = Role.Operator,
        ["/fwcluster.v1.RulesetService/Confirm"] = Role.Operator,
        ["/fwcluster.v1.RulesetService/RollBack"] = Role.Operator,
        ["/fwcluster.v1.ConntrackService/Delete"] = Role.Operator,
        ["/fwcluster.v1.ConntrackService/DeleteExpectations"] = Role.Operator,
        ["/fwcluster.v1.CountersService/ReadAndZero"] = Role.Operator,
        ["/fwcluster.v1.CountersService/Zero"] = Role.Operator,
        ["/fwcluster.v1.HelperService/Load"] = Role.Operator,
        ["/fwcluster.v1.HelperService/Unload"] = Role.Operator,
        ["/fwcluster.v1.ClusterService/Drain"] = Role.Admin,
        ["/fwcluster.v1.SettingsService/Set"] = Role.Admin,
    };

    [Fact]
    public async Task EveryMethodIsRefusedWithoutACertificateWithAWrongOneAnExpiredOneAndARoleTooLow()
    {
        await using var lab = await ControlLab.StartAsync();
        var methods = await MethodsAsync(lab.Channel("viewer"));
        Assert.Contains("/fwcluster.v1.RulesetService/Apply", methods.Keys);
        Assert.Contains("/grpc.health.v1.Health/Check", methods.Keys);
        Assert.True(methods.Count > 25, string.Join(' ', methods.Keys));
        foreach (var changing in Takes.Keys) Assert.Contains(changing, methods.Keys);
        foreach (var (method, isStream) in methods)
        {
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel(null), method, isStream)));
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("stranger"), method, isStream)));
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("expired"), method, isStream)));
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("roleless"), method, isStream)));
            foreach (var role in (Role[])[Role.Viewer, Role.Operator])
            {
                var status = await CallAsync(lab.Channel(role.Name()), method, isStream);
                if (role < Takes.GetValueOrDefault(method, Role.Viewer)) Assert.Equal((method, StatusCode.PermissionDenied), (method, status));
                else Assert.False(status is StatusCode.PermissionDenied or StatusCode.Unauthenticated, $"{method} by {role}: {status}");
            }
            // A node's certificate is good for what nodes ask each other, on behalf of somebody who may ask it; and nobody else speaks for others.
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("node"), method, isStream)));
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("admin"), method, isStream, OnBehalf("alice", "admin"))));
            Assert.Equal((method, StatusCode.Unauthenticated), (method, await CallAsync(lab.Channel("node"), method, isStream, OnBehalf("alice", "node"))));
            foreach (var role in (Role[])[Role.Viewer, Role.Admin])
            {
                var status = await CallAsync(lab.Channel("node"), method, isStream, OnBehalf("alice", role.Name()));
                if (!ForNodes.Contains(method) || role < Takes.GetValueOrDefault(method, Role.Viewer)) Assert.Equal((method, StatusCode.PermissionDenied), (method, status));
                else Assert.False(status is StatusCode.PermissionDenied or StatusCode.Unauthenticated, $"{method} on behalf of a {role}: {status}");
            }
        }
        Assert.All(ForNodes, method => Assert.Contains(method, methods.Keys));
    }

    [Fact]
    public async Task TheMessageSaysWhatIsWrongWithTheCertificate()
    {
        await using var lab = await ControlLab.StartAsync();
        async Task<string> Message(string? client)
            => (await Assert.ThrowsAsync<RpcException>(async () => await new RulesetService.RulesetServiceClient(lab.Channel(client)).GetAsync(new()))).Status.Detail;
        Assert.Equal("there is neither a client certificate nor a token", await Message(null));
        Assert.StartsWith("the client certificate of late expired on ", await Message("expired"), StringComparison.Ordinal);
        Assert.StartsWith("the client certificate of admin-1 is not one that this cluster's authority made for clients", await Message("stranger"), StringComparison.Ordinal);
        Assert.StartsWith("the client certificate of nobody names no role", await Message("roleless"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATokenHasTheRoleOfItsLineUntilTheLineIsGone()
    {
        var tokens = Path.GetTempFileName();
        try
        {
            File.WriteAllText(tokens, $"# tokens\nviewer robot {Hash("let me look")}\noperator hand {Hash("let me do")}\n");
            await using var lab = await ControlLab.StartAsync(change: s => s with { Tokens = tokens });
            RulesetService.RulesetServiceClient With(string token) => new(lab.Channel(null, token));
            Assert.Equal(0u, (await With("let me look").GetAsync(new())).Generation.Number);
            Assert.Equal(StatusCode.PermissionDenied, await StatusOf(() => With("let me look").ApplyAsync(new() { Rules = ControlLab.Rules() })));
            Assert.Equal("hand", (await With("let me do").ApplyAsync(new() { Rules = ControlLab.Rules() })).Generation.Author);
            Assert.Equal(StatusCode.Unauthenticated, await StatusOf(() => With("let me in").GetAsync(new())));
            // A token that is not known is not made up for by a certificate.
            Assert.Equal(StatusCode.Unauthenticated, await StatusOf(() => new RulesetService.RulesetServiceClient(lab.Channel("admin", "let me in")).GetAsync(new())));
            File.WriteAllText(tokens, $"viewer robot {Hash("let me look")}\n");
            File.SetLastWriteTimeUtc(tokens, DateTime.UtcNow.AddSeconds(2));
            Assert.Equal(StatusCode.Unauthenticated, await StatusOf(() => With("let me do").GetAsync(new())));
        }
        finally
        {
            File.Delete(tokens);
        }
    }

    [Fact]
    public async Task ANewCertificateOfTheNodeTakesNoRestart()
    {
        await using var lab = await ControlLab.StartAsync();
        var first = await lab.ServerSerialAsync();
        File.WriteAllText(lab.PathOf("node.key"), "half written"); // the certificate before its key, and the key in parts
        Assert.Equal(first, await lab.ServerSerialAsync());
        lab.RenewNode();
        var second = await lab.ServerSerialAsync();
        Assert.NotEqual(first, second);
        Assert.Equal(StatusCode.OK, await StatusOf(() => new RulesetService.RulesetServiceClient(lab.Channel("viewer")).GetAsync(new())));
    }

    [Fact]
    public async Task OverTheSocketTheUserOfTheDaemonIsAdmin()
    {
        await using var lab = await ControlLab.StartAsync();
        var applied = await new RulesetService.RulesetServiceClient(lab.SocketChannel()).ApplyAsync(new() { Rules = ControlLab.Rules() });
        Assert.StartsWith("uid=", applied.Generation.Author, StringComparison.Ordinal);
        Assert.NotEmpty((await new SettingsService.SettingsServiceClient(lab.SocketChannel()).SetAsync(new())).Settings);
    }

    [Fact]
    public async Task EveryChangeLeavesALineThatSaysWhoWhatBeforeAndAfter()
    {
        await using var lab = await ControlLab.StartAsync();
        await new RulesetService.RulesetServiceClient(lab.Channel("operator")).ApplyAsync(new() { Rules = ControlLab.Rules("-A FORWARD -j DROP"), Comment = "closed" });
        await new HelperService.HelperServiceClient(lab.Channel("operator")).UnloadAsync(new() { Name = "ftp" });
        await StatusOf(() => new SettingsService.SettingsServiceClient(lab.Channel("operator")).SetAsync(new()));
        await new SettingsService.SettingsServiceClient(lab.Channel("admin")).SetAsync(new() { Settings = { ["nf_conntrack_udp_timeout"] = 7 } });
        var lines = lab.Audit.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(4, lines.Length);
        string Field(int line, string name) => lines[line].GetProperty(name).GetString()!;
        Assert.Equal(("operator-1", "operator", "certificate", "OK"), (Field(0, "who"), Field(0, "role"), Field(0, "proof"), Field(0, "outcome")));
        Assert.Equal("apply: closed", Field(0, "what"));
        Assert.StartsWith("generation 0 ", Field(0, "before"), StringComparison.Ordinal);
        Assert.StartsWith("generation 1 ", Field(0, "after"), StringComparison.Ordinal);
        Assert.Equal(("unload helper ftp", "loaded", "not loaded"), (Field(1, "what"), Field(1, "before"), Field(1, "after")));
        Assert.StartsWith("PermissionDenied: ", Field(2, "outcome"), StringComparison.Ordinal);
        Assert.Equal(("nf_conntrack_udp_timeout=30", "nf_conntrack_udp_timeout=7"), (Field(3, "before"), Field(3, "after")));
    }

    [Fact]
    public async Task WhatIsTooMuchIsRefused()
    {
        await using var lab = await ControlLab.StartAsync(change: s => s with { CallsPerSecond = 5, StreamsPerCaller = 2, MaxRequestBytes = 64 * 1024 });
        var rules = new RulesetService.RulesetServiceClient(lab.Channel("viewer"));
        Assert.Equal(StatusCode.ResourceExhausted, await StatusOf(() => rules.CheckAsync(new() { Rules = new() { Ipv4 = new string('#', 100_000) } })));
        using var first = rules.Watch(new());
        using var second = rules.Watch(new());
        Assert.True(await first.ResponseStream.MoveNext(CancellationToken.None));
        Assert.True(await second.ResponseStream.MoveNext(CancellationToken.None));
        using (var third = rules.Watch(new()))
            Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(() => third.ResponseStream.MoveNext(CancellationToken.None))).StatusCode);
        var answers = new List<StatusCode>();
        for (var i = 0; i < 40; i++) answers.Add(await StatusOf(() => rules.GetAsync(new())));
        Assert.Contains(StatusCode.ResourceExhausted, answers);
        // Another caller is not kept from calling.
        Assert.Equal(StatusCode.OK, await StatusOf(() => new RulesetService.RulesetServiceClient(lab.Channel("admin")).GetAsync(new())));
    }

    [Fact]
    public void PlainTextIsForThisMachineOnly()
    {
        var settings = new ControlSettings { PlainListen = new System.Net.IPEndPoint(System.Net.IPAddress.Parse("192.0.2.1"), 7080) };
        var wrong = Assert.Throws<ArgumentException>(() => ControlServer.Create(settings, null!, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, TimeProvider.System));
        Assert.StartsWith("192.0.2.1:7080 is no loopback address", wrong.Message, StringComparison.Ordinal);
    }

    internal static async Task<StatusCode> StatusOf<T>(Func<AsyncUnaryCall<T>> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private static string Hash(string token) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token)));

    private static Metadata OnBehalf(string name, string role) => new()
    {
        { "fwcluster-caller", name }, { "fwcluster-caller-role", role }, { "fwcluster-caller-proof", "certificate" }, { "fwcluster-caller-from", "192.0.2.7%3A1000" },
    };

    /// <summary>Calls a method with an empty request; a stream until its first message.</summary>
    private static async Task<StatusCode> CallAsync(GrpcChannel channel, string method, bool isStream, Metadata? headers = null)
    {
        var name = method.Split('/');
        var options = new CallOptions(headers, deadline: DateTime.UtcNow.AddSeconds(20));
        try
        {
            if (!isStream)
            {
                await channel.CreateCallInvoker().AsyncUnaryCall(new Method<byte[], byte[]>(MethodType.Unary, name[1], name[2], Bytes, Bytes), null, options, []);
                return StatusCode.OK;
            }
            using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
                new Method<byte[], byte[]>(MethodType.DuplexStreaming, name[1], name[2], Bytes, Bytes), null, options);
            try
            {
                await call.RequestStream.WriteAsync([]);
                if (!method.Contains("Reflection", StringComparison.Ordinal)) await call.RequestStream.CompleteAsync();
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException)
            {
                // Refused before it was written: the answer says why.
            }
            await call.ResponseStream.MoveNext(CancellationToken.None);
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    /// <summary>Every method of every service, by the server's reflection, and whether it streams.</summary>
    private static async Task<Dictionary<string, bool>> MethodsAsync(GrpcChannel channel)
    {
        using var reflection = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        async Task<ServerReflectionResponse> Ask(ServerReflectionRequest request)
        {
            await reflection.RequestStream.WriteAsync(request);
            Assert.True(await reflection.ResponseStream.MoveNext(CancellationToken.None));
            return reflection.ResponseStream.Current;
        }
        var methods = new Dictionary<string, bool>();
        foreach (var service in (await Ask(new() { ListServices = "" })).ListServicesResponse.Service)
        {
            var files = (await Ask(new() { FileContainingSymbol = service.Name })).FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom);
            foreach (var file in files)
                foreach (var declared in file.Service.Where(s => $"{file.Package}.{s.Name}" == service.Name))
                    foreach (var method in declared.Method)
                        methods[$"/{service.Name}/{method.Name}"] = method.ClientStreaming || method.ServerStreaming;
        }
        return methods;
    }
}
