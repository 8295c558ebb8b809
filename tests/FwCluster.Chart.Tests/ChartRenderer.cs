using System.Collections.Concurrent;
using System.Security.Cryptography;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Chart.Tests;

/// <summary>Renders the chart by <c>render/render.go</c>, which is built where it is not yet, or has changed.</summary>
internal static class ChartRenderer
{
    private static readonly ConcurrentDictionary<string, RenderedChart> Rendered = [];
    private static readonly Lazy<string> Program = new(Build);

    /// <summary>Renders; fails where Helm would refuse.</summary>
    public static RenderedChart Render(params string[] options)
    {
        var result = TryRender(options);
        return result.ExitCode == 0 ? new RenderedChart(result.Output) : throw new InvalidOperationException(result.Error);
    }

    /// <summary>Renders one of the documented combinations; <c>default</c> is that of no values.</summary>
    public static RenderedChart RenderExample(string example) => Rendered.GetOrAdd(
        example, name => name == "default" ? Render() : Render("-f", Path.Combine(Repository.Chart, "examples", name + ".yaml")));

    /// <summary>Renders.</summary>
    /// <param name="options">Such as <c>-f FILE</c> and <c>-set K=V</c>.</param>
    public static CommandResult TryRender(params string[] options) => Command.TryRun(Program.Value, [.. options, Repository.Chart]);

    private static string Build()
    {
        var source = Path.Combine(Repository.Root, "tests", "FwCluster.Chart.Tests", "render", "render.go");
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(source)))[..12];
        var program = Path.Combine(Repository.Root, "artifacts", $"chart-render-{hash}");
        if (File.Exists(program)) return program;
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        // Without modules, by the distribution's packages (test.sh installs them).
        Command.Run("env", ["GO111MODULE=off", "GOFLAGS=", "GOPATH=/usr/share/gocode", $"GOCACHE={Path.GetDirectoryName(program)}/go-cache", "go", "build", "-o", program, source],
            timeout: TimeSpan.FromMinutes(5));
        return program;
    }
}
