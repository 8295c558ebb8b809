using System.Collections.Immutable;
using FwCluster.Capture.Mirror;
using FwCluster.Capture.Queue;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.Live;

/// <summary>What runs: a port, a worker on its thread, and the rules, which can be read again while packets flow.</summary>
internal sealed class Gateway : IDisposable
{
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly InterfaceNames? _names;

    private Gateway(PortLoop loop, InterfaceNames? names)
    {
        Loop = loop;
        _names = names;
    }

    /// <summary>The port's thread.</summary>
    public PortLoop Loop { get; }

    /// <summary>Makes everything ready; packets flow from <see cref="PortLoop.Start"/> on.</summary>
    /// <exception cref="SettingsException">A rule file has mistakes.</exception>
    /// <exception cref="Capture.Netlink.NetlinkException">The port cannot be opened.</exception>
    public static Gateway Open(NodeSettings settings)
    {
        var (ipv4, ipv6) = RuleFiles.Load(settings);
        var worker = new PacketWorker(
            ActiveRuleset.From(ipv4, fromText: true), ActiveRuleset.From(ipv6, fromText: true),
            new ConnectionTable(settings.Tracking, settings.Helpers), LocalAddresses.Read());
        if (settings.Mode == NodeMode.Mirror)
            return new Gateway(new MirrorLoop(MirrorPort.Open(settings.MirrorInterfaces, settings.MirrorBufferBytes), worker), null);
        var names = InterfaceNames.Open();
        try
        {
            var port = QueuePort.Open(
                new QueueSettings { Number = settings.QueueNumber, MaxLength = settings.QueueLength, FailOpen = settings.FailOpen }, names);
            return new Gateway(new QueueLoop(port, worker), names);
        }
        catch
        {
            names.Dispose();
            throw;
        }
    }

    /// <summary>Reads rules and helpers again: all, or, where something is wrong, nothing changes.</summary>
    /// <exception cref="SettingsException">What is wrong.</exception>
    public async Task ReloadAsync(NodeSettings settings)
    {
        await _reloading.WaitAsync().ConfigureAwait(false);
        try
        {
            var (ipv4, ipv6) = RuleFiles.Load(settings);
            var change = new RulesetChange(Loop.Worker, ipv4, ipv6);
            await Loop.Ask(worker =>
            {
                worker.Change(change);
                worker.Idle(UnixTime.Now, budget: 0); // now, not with the next packet
                return LoadHelpers(worker.Connections, settings.Helpers);
            }).ConfigureAwait(false);
        }
        finally
        {
            _reloading.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Loop.Dispose();
        _names?.Dispose();
        _reloading.Dispose();
    }

    /// <summary>A helper that attaches to ports is loaded; one that is there for rules alone stays.</summary>
    private static ImmutableArray<string> LoadHelpers(ConnectionTable table, IReadOnlyList<ConnectionHelper> wanted)
    {
        foreach (var helper in table.Helpers)
        {
            var isWanted = wanted.Any(w => w.Name == helper.Name && w.Ports.Count > 0);
            if (isWanted && !table.IsLoaded(helper.Name)) table.Load(helper.Name);
            else if (!isWanted && helper.Ports.Count > 0 && table.IsLoaded(helper.Name)) table.Unload(helper.Name);
        }
        return [.. table.Helpers.Where(h => table.IsLoaded(h.Name)).Select(h => h.Name)];
    }
}
