using System.Collections.Immutable;
using FwCluster.Capture.Answers;
using FwCluster.Capture.Mirror;
using FwCluster.Capture.Queue;
using FwCluster.Conntrack;
using FwCluster.Conntrack.Helpers;
using FwCluster.Datapath;
using FwCluster.Datapath.Reject;
using FwCluster.Node.Configuration;

namespace FwCluster.Node.Live;

/// <summary>What runs: a port, a worker on its thread, and the rules, which can be read again while packets flow.</summary>
internal sealed class Gateway : IDisposable
{
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly InterfaceNames? _names;
    private readonly DropLog _dropLog;

    private Gateway(PacketLog log, DropOutput drops, DropLog dropLog, InterfaceNames? names, AnswerPort? answerPort, RejectAnswers? answers, PortLoop loop)
    {
        Log = log;
        Drops = drops;
        _dropLog = dropLog;
        _names = names;
        AnswerPort = answerPort;
        Answers = answers;
        Loop = loop;
    }

    /// <summary>The port's thread.</summary>
    public PortLoop Loop { get; }

    /// <summary>What LOG and NFLOG rules meet.</summary>
    public PacketLog Log { get; }

    /// <summary>The files of dropped packets.</summary>
    public DropOutput Drops { get; }

    /// <summary>What REJECT rules answer; null where nothing is enforced.</summary>
    public RejectAnswers? Answers { get; }

    /// <summary>What sends <see cref="Answers"/>.</summary>
    public AnswerPort? AnswerPort { get; }

    /// <summary>Makes everything ready; packets flow from <see cref="PortLoop.Start"/> on.</summary>
    /// <exception cref="SettingsException">A rule file has mistakes, or the folder of dropped packets cannot be made.</exception>
    /// <exception cref="Capture.Netlink.NetlinkException">The port cannot be opened.</exception>
    public static Gateway Open(NodeSettings settings)
    {
        var (ipv4, ipv6) = RuleFiles.Load(settings);
        var opened = new Stack<IDisposable>();
        T Keep<T>(T made) where T : IDisposable
        {
            opened.Push(made);
            return made;
        }
        try
        {
            var log = Keep(new PacketLog(settings.LogPacketsWaiting));
            var drops = Keep(DropOutput.Open(settings.Drops));
            var isInline = settings.Mode == NodeMode.Inline;
            var answerPort = isInline ? Keep(AnswerPort.Open(settings.Divert.AnswerMark)) : null;
            var answers = isInline ? new RejectAnswers(answerPort!) : null;
            var worker = new PacketWorker(
                ActiveRuleset.From(ipv4, fromText: true), ActiveRuleset.From(ipv6, fromText: true),
                new ConnectionTable(settings.Tracking, settings.Helpers), LocalAddresses.Read(), log, answers: answers);
            var dropLog = drops.OpenLog(worker);
            if (!isInline)
            {
                var mirror = MirrorPort.Open(settings.MirrorInterfaces, settings.MirrorBufferBytes);
                return new Gateway(log, drops, dropLog, null, null, null, new MirrorLoop(mirror, worker, dropLog));
            }
            var names = Keep(InterfaceNames.Open());
            var port = QueuePort.Open(
                new QueueSettings { Number = settings.QueueNumber, MaxLength = settings.QueueLength, FailOpen = settings.FailOpen }, names);
            return new Gateway(log, drops, dropLog, names, answerPort, answers, new QueueLoop(port, worker, answers!, answerPort!, dropLog));
        }
        catch
        {
            foreach (var made in opened) made.Dispose();
            throw;
        }
    }

    /// <summary>Reads rules, helpers, and the settings of log and drops again: all, or, where something is wrong, nothing changes.</summary>
    /// <param name="readSettings">Reads the settings.</param>
    /// <returns>The settings that were read.</returns>
    /// <exception cref="SettingsException">What is wrong.</exception>
    public async Task<NodeSettings> ReloadAsync(Func<NodeSettings> readSettings)
    {
        await _reloading.WaitAsync().ConfigureAwait(false);
        try
        {
            var settings = readSettings();
            var (ipv4, ipv6) = RuleFiles.Load(settings);
            var change = new RulesetChange(Loop.Worker, ipv4, ipv6);
            var drops = Drops.Prepare(settings.Drops); // the last that may fail
            await Loop.Ask(worker =>
            {
                worker.Change(change);
                worker.Idle(UnixTime.Now, budget: 0); // now, not with the next packet
                drops?.Take(_dropLog);
                Log.Resize(settings.LogPacketsWaiting);
                return LoadHelpers(worker.Connections, settings.Helpers);
            }).ConfigureAwait(false);
            if (drops is not null) Drops.Complete(drops);
            return settings;
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
        Drops.Dispose();
        Log.Dispose();
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
