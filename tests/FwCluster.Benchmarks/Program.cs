using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using FwCluster.Benchmarks;
using FwCluster.Benchmarks.Scaling;

switch (args)
{
    case ["compare"]:
        Comparison.Run();
        break;
    case ["memory"]:
        Console.WriteLine($"{MemoryFootprint.BytesPerConnection():f0} bytes a connection (growth of the process, 1,000,000 IPv4 connections)");
        break;
    case ["shards", .. var numbers]:
        await ShardQuestions.RunAsync(
            numbers.Length > 0 ? int.Parse(numbers[0], CultureInfo.InvariantCulture) : 5,
            numbers.Length > 1 ? int.Parse(numbers[1], CultureInfo.InvariantCulture) : 64,
            numbers.Length > 2 ? int.Parse(numbers[2], CultureInfo.InvariantCulture) : 2048);
        break;
    case ["shards-other"]:
        await ShardQuestions.RunOtherAsync();
        break;
    case ["scale", .. var rest]:
        ScalingRun.Run(json: rest.Contains("--json"), connections: 20_000);
        break;
    case ["help" or "--help" or "-h"]:
        Console.WriteLine("""
            FwCluster.Benchmarks compare             the engine beside the kernel (needs root) and Open vSwitch (OVSTEST=.../ovstest)
            FwCluster.Benchmarks memory              bytes a connection, as growth of the process
            FwCluster.Benchmarks shards [SECONDS [BATCH [WAITING]]]
                                                     new connections a second, and the time of one alone, with the shards in this process and in another
            FwCluster.Benchmarks scale [--json]      3 to 100 nodes simulated: messages, bytes and processor time a connection
            FwCluster.Benchmarks [--filter PATTERN]  the BenchmarkDotNet benchmarks; '*' for all
            """);
        break;
    default:
        // In this process: the benchmarks need no other runtime or settings than this one has.
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromMinutes(10), logOutput: false)));
        BenchmarkSwitcher.FromAssembly(typeof(Traffic).Assembly).Run(args, config);
        break;
}
