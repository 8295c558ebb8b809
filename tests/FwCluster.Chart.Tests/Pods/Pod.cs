using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FwCluster.Referee.Lab;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using k8s.Models;

namespace FwCluster.Chart.Tests.Pods;

/// <summary>A pod that runs: probed, and stopped by its hook and SIGTERM.</summary>
internal sealed class Pod : IDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan ProbePause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly V1PodSpec _pod;
    private readonly V1Container _container;
    private readonly NetworkNamespace _network;
    private readonly string _specification;
    private readonly Func<BackgroundProcess> _start;
    private readonly GrpcChannel _channel;
    private readonly Health.HealthClient _health;
    private readonly Lock _gate = new();
    private readonly Timer _supervision;
    private BackgroundProcess _process;
    private string _before = "";
    private bool _isStopping;

    public Pod(V1PodSpec pod, V1Container container, NetworkNamespace network, string address, string folder, string specification, Func<BackgroundProcess> start)
    {
        (_pod, _container, _network, _specification, _start, Address, Folder) = (pod, container, network, specification, start, address, folder);
        _process = start();
        // As a kubelet does, whoever waits for whatever.
        _supervision = new Timer(_ => Supervise(), null, pod.RestartPolicy is null or "Always" ? Second : Timeout.InfiniteTimeSpan, Second);
        var port = container.ReadinessProbe?.Grpc.Port ?? 0;
        _channel = GrpcChannel.ForAddress(string.Create(CultureInfo.InvariantCulture, $"http://{address}:{port}"), new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = (context, stop) => Connect((DnsEndPoint)context.DnsEndPoint, stop) },
            DisposeHttpClient = true,
        });
        _health = new Health.HealthClient(_channel);
    }

    /// <summary>Its address.</summary>
    public string Address { get; }

    /// <summary>Where its volumes are, by name.</summary>
    public string Folder { get; }

    /// <summary>What it wrote.</summary>
    public string Output => _before + _process.Output + _process.Error;

    /// <summary>How often its program has ended by itself, and was started again: of a cluster's node, where the others took it for dead.</summary>
    public int Restarts { get; private set; }

    /// <summary>True where its readiness probe says so.</summary>
    public bool IsReady => Probe(_container.ReadinessProbe);

    /// <summary>True where its liveness probe says so.</summary>
    public bool IsLive => Probe(_container.LivenessProbe);

    /// <summary>Waits until its start is over and it is ready.</summary>
    public void WaitUntilReady()
    {
        WaitUntil(() => Probe(_container.StartupProbe), TimeSpan.FromSeconds(_container.StartupProbe.FailureThreshold!.Value * _container.StartupProbe.PeriodSeconds!.Value));
        WaitUntil(() => IsReady, TimeSpan.FromSeconds(90)); // where the machine has other things to do, a node may be taken for dead and start again
    }

    /// <summary>Waits until it has ended by itself; its exit code.</summary>
    public int WaitForEnd()
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(30)), Output);
        return _process.ExitCode;
    }

    /// <summary>Stops it as a kubelet does.</summary>
    /// <param name="leadAway">What routers do when they see that it is not ready any more.</param>
    public void Stop(Action? leadAway = null)
    {
        var left = Stopwatch.StartNew();
        if (_container.Lifecycle?.PreStop?.Exec.Command is { } hook)
        {
            var drained = Task.Run(() => _network.TryExecute("python3", [Kubelet.Script, "exec", _specification, Number(_process.Id), .. hook],
                timeout: TimeSpan.FromSeconds(_pod.TerminationGracePeriodSeconds!.Value)));
            WaitUntil(() => !IsReady, TimeSpan.FromSeconds(20));
            Assert.True(IsLive, Output);
            Assert.False(drained.IsCompleted);
            leadAway?.Invoke();
            var result = drained.GetAwaiter().GetResult();
            Assert.True(result.ExitCode == 0, result.Error + result.Output);
        }
        lock (_gate) _isStopping = true;
        _process.Signal(SigTerm);
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(_pod.TerminationGracePeriodSeconds!.Value) - left.Elapsed), "it would have been killed: " + Output);
        Assert.True(_process.ExitCode == 0, Output);
    }

    /// <summary>Runs a program in its container, as kubectl exec does; its output.</summary>
    public string Execute(params string[] command) => _network.Execute("python3", [Kubelet.Script, "exec", _specification, Number(_process.Id), .. command]);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate) _isStopping = true;
        _supervision.Dispose();
        _channel.Dispose();
        _process.Dispose();
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Supervise()
    {
        lock (_gate)
        {
            if (_isStopping || !_process.HasExited) return;
            Restarts++;
            _before = $"{Output}-- ended with {_process.ExitCode}, started again\n";
            _process.Dispose();
            _process = _start();
        }
    }

    private void WaitUntil(Func<bool> condition, TimeSpan patience)
    {
        // As a kubelet does, now and then: who asks without a pause keeps the pod from what it is asked about.
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > patience) throw new CommandFailedException($"{Address} has not changed within {patience}:\n{Output}");
            Thread.Sleep(ProbePause);
        }
    }

    private bool Probe(V1Probe probe)
    {
        try
        {
            var answer = _health.Check(new HealthCheckRequest { Service = probe.Grpc.Service }, deadline: DateTime.UtcNow.AddSeconds(probe.TimeoutSeconds ?? 1));
            return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
        }
        catch (RpcException)
        {
            return false;
        }
    }

    private ValueTask<Stream> Connect(DnsEndPoint to, CancellationToken stop)
    {
        var socket = _network.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        return Finish();

        async ValueTask<Stream> Finish()
        {
            try
            {
                await socket.ConnectAsync(IPAddress.Parse(to.Host), to.Port, stop).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
