using FwCluster.Api.V1;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace FwCluster.Control.Tests.Compatibility;

/// <summary>
/// The API grows, and nothing in it changes or goes: what stands in <c>released.v1.txt</c> has to stay as it is. With a release, the file is
/// written anew: FWCLUSTER_WRITE_API=FILE has the test do it.
/// </summary>
public sealed class CompatibilityTests
{
    private static readonly FileDescriptor[] Files =
    [
        CaptureReflection.Descriptor, ClusterReflection.Descriptor, ConntrackReflection.Descriptor, CountersReflection.Descriptor,
        HelperReflection.Descriptor, RulesetReflection.Descriptor, SettingsReflection.Descriptor,
    ];

    [Fact]
    public void NothingThatWasReleasedHasChangedOrIsGone()
    {
        if (Environment.GetEnvironmentVariable("FWCLUSTER_WRITE_API") is { Length: > 0 } file) File.WriteAllLines(file, ApiSurface.Of(Protos()));
        var released = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Compatibility", "released.v1.txt"));
        Assert.True(released.Length > 200);
        Assert.Empty(released.Except(ApiSurface.Of(Protos())));
    }

    [Fact]
    public void EveryProtoFileIsCompared()
        => Assert.Equal(
            Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "protos", "fwcluster", "v1")).Select(f => "fwcluster/v1/" + Path.GetFileName(f)).Order(StringComparer.Ordinal),
            Files.Select(f => f.Name).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("field fwcluster.v1.Generation 2 applied", "renumbered")]
    [InlineData("field fwcluster.v1.Generation 3 author", "retyped")]
    [InlineData("field fwcluster.v1.Generation 4 comment", "renamed")]
    [InlineData("enum fwcluster.v1.Family 1 FAMILY_IPV4", "gone")]
    [InlineData("method fwcluster.v1.RulesetService/Get", "gone")]
    [InlineData("http fwcluster.v1.RulesetService/History GET /v1/ruleset/generations", "moved")]
    [InlineData("method fwcluster.v1.RulesetService/Watch", "unstreamed")]
    public void AChangeThatBreaksClientsIsSeen(string line, string how)
    {
        var before = ApiSurface.Of(Protos());
        var files = Protos();
        var ruleset = files.Single(f => f.Name.EndsWith("ruleset.proto", StringComparison.Ordinal));
        var generation = ruleset.MessageType.Single(m => m.Name == "Generation").Field;
        var methods = ruleset.Service.Single().Method;
        if (how == "renumbered") generation.Single(f => f.Name == "applied").Number = 99;
        if (how == "retyped") generation.Single(f => f.Name == "author").Type = FieldDescriptorProto.Types.Type.Bytes;
        if (how == "renamed") generation.Single(f => f.Name == "comment").Name = "remark";
        if (how == "gone") methods.Remove(methods.Single(m => m.Name == "Get"));
        if (how == "gone") files.Single(f => f.Name.EndsWith("conntrack.proto", StringComparison.Ordinal)).EnumType.Single(e => e.Name == "Family").Value.RemoveAt(1);
        if (how == "moved") methods.Single(m => m.Name == "History").Options.SetExtension(AnnotationsExtensions.Http, new HttpRule { Get = "/v1/history" });
        if (how == "unstreamed") methods.Single(m => m.Name == "Watch").ServerStreaming = false;
        Assert.Contains(before.Except(ApiSurface.Of(files)), gone => gone.StartsWith(line, StringComparison.Ordinal));
    }

    private static FileDescriptorProto[] Protos()
    {
        var registry = new ExtensionRegistry { AnnotationsExtensions.Http };
        return [.. Files.Select(f => FileDescriptorProto.Parser.WithExtensionRegistry(registry).ParseFrom(f.SerializedData))];
    }
}
