using System.Text.Json;
using System.Text.RegularExpressions;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>The container image, without a container engine: its root file system, made by the script that the Dockerfile runs.</summary>
[Collection(PodsCollection.Name)]
public sealed partial class ImageTests(ImageRoot image)
{
    /// <summary>A read-only root, and no capability but the two that the chart gives to gateways: the demonstration counts what it counts elsewhere.</summary>
    [KernelFact]
    public void ItPassesTheExerciseWithTheDeclaredCapabilities()
    {
        Assert.True(image.Made.ExitCode == 0, image.Made.Error);
        var folder = Directory.CreateTempSubdirectory("fwtdemo").FullName;
        try
        {
            var capabilities = ChartRenderer.RenderExample("default").Pods["gateway"].Spec.Containers[0].SecurityContext.Capabilities.Add;
            var specification = new
            {
                root = image.Path,
                command = new[] { "/usr/lib/fwcluster/fwclusterd-gateway" },
                env = new Dictionary<string, string> { ["PATH"] = "/usr/sbin:/usr/bin", ["DOTNET_EnableDiagnostics"] = "0" },
                user = 0, // whose the demonstration's folder is
                group = 0,
                groups = Array.Empty<int>(),
                capabilities,
                readOnlyRoot = true,
                mounts = new[] { (folder, false), (Path.Combine(Repository.Root, "examples"), true) }
                    .Select(place => (object)new { target = place.Item1, source = place.Item1, readOnly = place.Item2 }).Append(new { target = "/tmp" }).Reverse(),
            };
            Command.Run("chmod", ["755", folder]); // the FTP user comes here, too
            var (file, program) = (Path.Combine(folder, "container.json"), Path.Combine(folder, "fwclusterd"));
            File.WriteAllText(file, JsonSerializer.Serialize(specification));
            File.WriteAllText(program, $"#!/bin/sh\nexec python3 {Kubelet.Script} run {file} \"$@\"\n");
            Command.Run("chmod", ["755", program]);
            var printed = Command.Run("env", [$"TMPDIR={folder}", $"FWCLUSTERD={program}", Path.Combine(Repository.Root, "examples", "live", "demo.sh")], timeout: TimeSpan.FromMinutes(2));
            // In INPUT where the client opened the data connection, in OUTPUT where the server did.
            Assert.Equal(["1 60", "0 0", "0 0", "1 60"], Related().Matches(printed).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [KernelFact]
    public void ItHasWhatItNeedsAndNoShell()
    {
        Assert.True(image.Made.ExitCode == 0, image.Made.Error);
        foreach (var file in new[] { "usr/bin/fwclusterd", "usr/bin/fwctl", "usr/bin/chown", "usr/sbin/iptables-restore", "usr/sbin/ip6tables-save" })
            Assert.True(File.Exists(Path.Combine(image.Path, file)), file);
        Assert.Equal(["chown", "fwclusterd", "fwctl"], Directory.GetFiles(Path.Combine(image.Path, "usr", "bin")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        // Capabilities by files: the gateway's program, and iptables.
        var privileged = Command.Run("getcap", ["-r", image.Path]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(privileged, line => Assert.EndsWith(" cap_net_admin,cap_net_raw=ep", line, StringComparison.Ordinal));
        Assert.Equal(["fwclusterd-gateway", "xtables-nft-multi"], privileged.Select(line => Path.GetFileName(line.Split(' ')[0])).Order(StringComparer.Ordinal));
        Assert.Empty(Command.Run("find", [image.Path, "-xdev", "-perm", "/6000"]));
    }

    [KernelFact]
    public void ItsListOfPartsNamesPackages()
    {
        Assert.True(image.Made.ExitCode == 0, image.Made.Error);
        using var parts = JsonDocument.Parse(File.ReadAllText(Path.Combine(image.Path, "usr", "share", "fwcluster", "sbom.cdx.json")));
        Assert.Equal("CycloneDX", parts.RootElement.GetProperty("bomFormat").GetString());
        var names = parts.RootElement.GetProperty("components").EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("version").GetString());
        foreach (var name in new[] { "Akka.Remote", "Google.Protobuf", "iptables", "libc6", "Microsoft.AspNetCore.App" }) Assert.True(names[name] is { Length: > 0 }, name);
    }

    [Fact]
    public void TheDockerfileAgreesWithTheChart()
    {
        var dockerfile = File.ReadAllText(Path.Combine(Repository.Root, "packaging", "Dockerfile"));
        var pod = ChartRenderer.RenderExample("default").Pods["gateway"].Spec;
        Assert.Contains($"\nUSER {pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains("RUN /source/packaging/build-rootfs.sh /rootfs\n", dockerfile, StringComparison.Ordinal);
        Assert.Contains("\nENV PATH=/usr/sbin:/usr/bin DOTNET_EnableDiagnostics=0", dockerfile, StringComparison.Ordinal);
        foreach (var label in new[] { "version", "revision", "licenses" }) Assert.Contains($"org.opencontainers.image.{label}=", dockerfile, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^ *(\d+) +(\d+) ACCEPT .*state RELATED *$", RegexOptions.Multiline)]
    private static partial Regex Related();
}
