using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using k8s.Models;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>
/// A release that runs: the rendered pods of gateways and control nodes as processes in the image's root file system, with the rendered settings,
/// secrets, environment, mounts, user and capabilities, each in a network namespace as on its node.
/// </summary>
[Collection(PodsCollection.Name)]
public sealed class ReleaseTests(ImageRoot image)
{
    private const int Gateways = 3;

    /// <summary>Control nodes that are replaced while transfers go on, the last one first: all three in a longer run (FWCLUSTER_TEST_CHANGES=3).</summary>
    private static readonly int Replaced = Math.Clamp(int.TryParse(Environment.GetEnvironmentVariable("FWCLUSTER_TEST_CHANGES"), out var changes) ? changes : 1, 1, 3);

    /// <summary>
    /// Control connections of FTP cross one gateway and data connections another. Then a gateway comes and one goes, and pods are replaced by those
    /// of an upgrade, while transfers go on: none fails.
    /// </summary>
    [KernelFact(Explicit = true)]
    public void NoTransferFailsOverSplitGatewaysNorWhileTheReleaseChanges()
    {
        Assert.True(image.Made.ExitCode == 0, image.Made.Error);
        using var values = new ValuesFile();
        var chart = ChartRenderer.Render("-f", values.Path);
        // The last three namespaces are those of control nodes: nothing is routed through them.
        using var lab = new GatewaysLab(2 * Gateways);
        using var transfers = new Transfers(lab);
        using var kubelet = new Kubelet(image.Path);
        var pods = new Pod?[2 * Gateways];
        try
        {
            kubelet.Resolve("fw-fwcluster", Address(Gateways));
            var placed = new SortedSet<int>();
            Pod Start(RenderedChart rendered, int index)
            {
                // The discovery service names a pod as soon as it has an address.
                if (placed.Add(index)) kubelet.Resolve("fw-fwcluster-peers", [.. placed.Select(Address)]);
                return pods[index] = index < Gateways
                    ? kubelet.Start(rendered, rendered.Pods["gateway"].Spec, $"node-{index}", Address(index), lab.Gateways[index])
                    : kubelet.Start(rendered, rendered.Pods["control"].Spec, $"fw-fwcluster-control-{index - Gateways}", Address(index), lab.Gateways[index]);
            }
            foreach (var index in (int[])[3, 4, 5]) Start(chart, index);
            foreach (var index in (int[])[3, 4, 5]) pods[index]!.WaitUntilReady();
            foreach (var index in (int[])[0, 1]) Start(chart, index).WaitUntilReady();
            lab.RouteSplit(0, 1);

            var still = transfers.Fetch(count: 10, perLogin: 5);
            Assert.True(still is { Done: 40, Failed: 0 }, still.Report + Outputs(pods));
            RunTestPod(chart, kubelet, lab.Client);

            using var stop = new CancellationTokenSource();
            var rounds = 0;
            var meanwhile = Task.Factory.StartNew(() =>
            {
                var (done, failed, reports) = (0, 0, "");
                while (!stop.IsCancellationRequested)
                {
                    var more = transfers.Fetch(count: 20, perLogin: 20, atOnce: true);
                    (done, failed) = (done + more.Done, failed + more.Failed);
                    if (more.Failed > 0) reports += more.Report;
                    Interlocked.Increment(ref rounds);
                }
                return (Done: done, Failed: failed, Reports: reports);
            }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            try
            {
                // A node more.
                Start(chart, 2).WaitUntilReady();
                lab.RouteSplit(2, 1);
                // The upgrade, by what the first installation has made: gateways one after the other, the others take their part.
                var upgrade = ChartRenderer.Render("-f", values.Path, "-upgrade", "-objects", values.Keep(chart), "-set", "log.format=text");
                foreach (var index in (int[])[0, 1, 2])
                {
                    pods[index]!.Stop(leadAway: () => lab.RouteSplit((index + 1) % Gateways, (index + 2) % Gateways));
                    Start(upgrade, index).WaitUntilReady();
                }
                foreach (var index in Enumerable.Range(0, Replaced).Select(number => 2 * Gateways - 1 - number))
                {
                    pods[index]!.Stop();
                    Start(upgrade, index).WaitUntilReady();
                }
                // A node less.
                pods[1]!.Stop(leadAway: () => lab.RouteSplit(2, 0));
                // The round that goes on now, and a whole one of those that are left.
                var goOn = Volatile.Read(ref rounds) + 2;
                Assert.True(SpinWait.SpinUntil(() => meanwhile.IsCompleted || Volatile.Read(ref rounds) >= goOn, TimeSpan.FromMinutes(2)), Outputs(pods));
            }
            finally
            {
                stop.Cancel();
            }
            var all = meanwhile.GetAwaiter().GetResult();
            Assert.True(all.Failed == 0 && all.Done > 0, $"{all.Failed} of {all.Done} failed:\n{all.Reports}{Outputs(pods)}");
            TestContext.Current.TestOutputHelper!.WriteLine($"{all.Done} transfers while the release changed; {pods.OfType<Pod>().Sum(pod => pod.Restarts)} pods had to be started again");
            // One cluster still: whoever asks any of the control nodes meets the same rules.
            RunTestPod(chart, kubelet, lab.Client);
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException(Outputs(pods), e);
        }
        finally
        {
            foreach (var pod in pods) pod?.Dispose();
        }
    }

    /// <summary>What helm test runs.</summary>
    private static void RunTestPod(RenderedChart chart, Kubelet kubelet, NetworkNamespace client)
    {
        var test = chart.One<V1Pod>();
        Assert.Equal("test", test.Metadata.Annotations["helm.sh/hook"]);
        client.Ip("route replace 10.73.0.0/24 via 10.71.0.4"); // pods reach each other by the cluster's network
        using var pod = kubelet.Start(chart, test.Spec, "test", "10.71.0.20", client);
        Assert.True(pod.WaitForEnd() == 0, pod.Output);
        Assert.Contains("fw-fwcluster-control-0", pod.Output, StringComparison.Ordinal);
    }

    private static string Address(int index) => GatewaysLab.ClusterAddress(IpFamily.IPv4, index);

    private static string Outputs(Pod?[] pods) => string.Join("\n\n", pods.OfType<Pod>().Select(pod => $"{pod.Address}:\n{pod.Output}"));

    /// <summary>The values of this release: documented ones for an FTP farm, with IPv6, and with less patience than a busy test machine needs.</summary>
    private sealed class ValuesFile : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fwtvalues");

        public ValuesFile()
        {
            var farm = File.ReadAllText(System.IO.Path.Combine(Repository.Chart, "examples", "ftp-farm.yaml"));
            var ipv6 = farm[farm.IndexOf("    *filter", StringComparison.Ordinal)..farm.IndexOf("tracking:", StringComparison.Ordinal)]
                .Replace("10.72.0.0/16", "fd72::/64", StringComparison.Ordinal);
            File.WriteAllText(Path, farm.Replace("tracking:", "  ipv6: |\n" + ipv6 + "tracking:", StringComparison.Ordinal)
                + "cluster:\n  beginAfterSeconds: 2\n  expectationWaitMs: 2000\ngateways:\n  drainSeconds: 2\n");
        }

        public string Path => System.IO.Path.Combine(_folder.FullName, "values.yaml");

        /// <summary>What the cluster has of a release: its Secrets.</summary>
        public string Keep(RenderedChart chart)
        {
            var file = System.IO.Path.Combine(_folder.FullName, "objects.yaml");
            File.WriteAllText(file, TemplateTests.AsObjects(chart));
            return file;
        }

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
