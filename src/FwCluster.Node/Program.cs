using System.CommandLine;
using System.Net.Sockets;
using FwCluster.Capture.Divert;
using FwCluster.Capture.Mirror;
using FwCluster.Capture.Netlink;
using FwCluster.Cluster;
using FwCluster.Control;
using FwCluster.Node;
using FwCluster.Node.Configuration;
using FwCluster.Node.Control;
using FwCluster.Node.Live;
using FwCluster.Node.Metrics;
using FwCluster.Node.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

var config = new Option<string?>("--config", "-c") { Description = "The configuration file.", HelpName = "FILE" };
var set = new Option<string[]>("--set") { Description = "A setting over the file's, such as mode=inline (repeat it for each).", HelpName = "PATH=VALUE" };
var check = new Option<bool>("--check") { Description = "Check configuration and rule files, and end." };
var show = new Option<bool>("--show-config") { Description = "Print every setting with its default and what it means, and end." };
var drain = new Option<int?>("--drain") { Description = "Tell the running daemon of this configuration that it is to stop, and wait so many seconds.", HelpName = "SECONDS" };
var root = new RootCommand("The FwCluster daemon: decides packets by iptables rules and connection tracking.") { config, set, check, show, drain };

root.SetAction(async (parsed, cancellation) =>
{
    if (parsed.GetValue(show))
    {
        using var stream = typeof(NodeSettings).Assembly.GetManifestResourceStream("fwclusterd.yaml")!;
        using var reader = new StreamReader(stream);
        Console.Out.Write(await reader.ReadToEndAsync(cancellation));
        return ExitCode.Stopped;
    }
    NodeSettings Read() => SettingsReader.Read(parsed.GetValue(config), Environment.GetEnvironmentVariables(), parsed.GetValue(set) ?? []);
    try
    {
        var settings = Read();
        if (parsed.GetValue(drain) is { } seconds) return await DrainCommand.RunAsync(settings, seconds, cancellation);
        if (parsed.GetValue(check))
        {
            RuleFiles.Load(settings);
            Console.Out.WriteLine("configuration and rules are right");
            return ExitCode.Stopped;
        }
        var logSwitch = new LogSwitch(settings.LogLevel);
        using var clusterLog = LoggerFactory.Create(logging => SetUpLog(logging, settings, logSwitch));
        var state = new NodeState();
        await using var health = await HealthServer.StartAsync(settings.HealthListen, state, cancellation);
        var cluster = settings.Cluster is null ? null : await ClusterShardHost.StartAsync(settings, clusterLog, cancellation);
        await using var rulesets = settings.Control is null ? null
            : cluster is null ? AppliedRules.Recover(settings) : await AppliedRules.JoinAsync(settings, cluster, clusterLog, cancellation);
        if (rulesets is not null) settings = settings with { Applied = rulesets.InForce };
        using var gateway = Gateway.Open(settings, cluster);
        await using var app = Build(settings, state, Read, gateway, rulesets, logSwitch);
        await app.RunAsync(cancellation);
        return Environment.ExitCode;
    }
    catch (SettingsException e)
    {
        Console.Error.WriteLine(e.Message);
        return ExitCode.BadSettings;
    }
    catch (Exception e) when (e is NetlinkException or DivertException or MirrorException or NodeLostException or ClusterListenException)
    {
        Console.Error.WriteLine($"fwclusterd: {e.Message}");
        return ExitCode.Failed;
    }
});
// SIGTERM and SIGINT are the host's: the command line's own handling ends the process after 2 s, whether the divert rules are gone or not.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

static WebApplication Build(NodeSettings settings, NodeState state, Func<NodeSettings> readSettings, Gateway gateway, AppliedRules? rulesets, LogSwitch logSwitch)
{
    var builder = BareServer.CreateBuilder();
    SetUpLog(builder.Logging, settings, logSwitch);
    builder.Services.AddSingleton(settings).AddSingleton(readSettings).AddSingleton(gateway).AddSingleton(logSwitch).AddSingleton(state);
    builder.Services.AddHostedService<QuietCompiler>().AddHostedService<NodeService>();
    if (settings.StateSocket is { } socket)
    {
        MakeRoom("state.socket", socket);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
    }
    if (settings.Telemetry.Listen is { } metrics)
    {
        Telemetry.TryListen(metrics);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(metrics));
    }
    Telemetry.Add(builder, settings);
    if (rulesets is not null)
    {
        if (settings.Control!.Server.Socket is { } controlSocket) MakeRoom("control.socket", controlSocket);
        builder.Services.AddHostedService(services => new ControlPlane(
            settings, rulesets, gateway, services.GetRequiredService<NodeState>(), services.GetRequiredService<ILoggerFactory>()));
    }
    var app = builder.Build();
    Telemetry.Map(app);
    StateEndpoint.Map(app, app.Services.GetRequiredService<NodeState>());
    ServiceManager.Tell(app.Lifetime);
    return app;
}

static void SetUpLog(ILoggingBuilder log, NodeSettings settings, LogSwitch logSwitch)
{
    log.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddFilter(logSwitch.Lets);
    if (settings.LogJson) log.AddJsonConsole(o => o.UseUtcTimestamp = true);
    else if (Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null) log.AddSystemdConsole(); // levels as the journal reads them
    else log.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat, o.ColorBehavior) = (true, "HH:mm:ss.fff ", LoggerColorBehavior.Disabled));
}

static void MakeRoom(string setting, string socket)
{
    try
    {
        if (Path.GetDirectoryName(socket) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        File.Delete(socket); // left behind by a killed process
        // A trial: once the server tries, packets are being decided.
        using var trial = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        trial.Bind(new UnixDomainSocketEndPoint(socket));
        File.Delete(socket);
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException)
    {
        throw new SettingsException($"{setting} is '{socket}', which cannot be used: {e.Message}");
    }
}
