using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using FwCluster.Control.Rulesets.Agreed;
using FwCluster.Node.Configuration;
using FwCluster.Node.Live;
using Microsoft.Extensions.Logging;

namespace FwCluster.Node.Control;

/// <summary>The rules that are in force when the daemon starts, found before the gateway is opened, so that no packet is decided by anything else; and
/// the agreement by which they change.</summary>
internal sealed class AppliedRules : IAsyncDisposable
{
    private readonly RulesetStore _store;
    private readonly ClusterAgreement? _cluster;
    private RulesetAgreement? _alone;

    private AppliedRules(RulesetStore store, InForce inForce, ClusterAgreement? cluster) => (_store, InForce, _cluster) = (store, inForce, cluster);

    /// <summary>What the gateway is to be opened with.</summary>
    public InForce InForce { get; }

    /// <summary>Why what is in force in the cluster is not in force here; null where it is.</summary>
    public string? Problem => _cluster?.Problem;

    /// <summary>Finds the rules of a node on its own. Where none were ever applied, the rule files are the first generation.</summary>
    /// <exception cref="SettingsException">They cannot be read, or there are mistakes in the rule files.</exception>
    public static AppliedRules Recover(NodeSettings settings)
    {
        try
        {
            var store = OpenStore(settings);
            if (store.Latest.Number > 0) return new AppliedRules(store, RulesetAgreement.Recover(store, TimeProvider.System), null);
            if (FromFiles(settings) is not { } first) return new AppliedRules(store, new InForce(RulesetGeneration.None, CheckedRuleset.Empty), null);
            store.Add(first.Generation, first.Rules.Texts);
            return new AppliedRules(store, first, null);
        }
        catch (RulesetStoreException e)
        {
            throw new SettingsException($"control.directory: {e.Message}");
        }
    }

    /// <summary>Learns from the other nodes of its cluster which rules are in force. Where no node has any, the rule files of the first node are the first
    /// generation.</summary>
    /// <exception cref="SettingsException">What is on the disk cannot be read, there are mistakes in the rule files, or the others have other settings.</exception>
    /// <exception cref="NodeLostException">The others took this node for dead meanwhile.</exception>
    public static async Task<AppliedRules> JoinAsync(NodeSettings settings, ClusterShardHost cluster, ILoggerFactory logs, CancellationToken cancellation)
    {
        try
        {
            var store = OpenStore(settings);
            var first = store.Latest.Number > 0 ? null : FromFiles(settings);
            var agreement = new ClusterAgreement(settings.Control!.Name, store, first, new ClusterRulesetPeers(cluster.Node),
                new RulesetTimes { Start = settings.Control.Wait }, TimeProvider.System, logs.CreateLogger<ClusterAgreement>());
            await cluster.IsMemberAsync(cancellation).ConfigureAwait(false);
            var joining = agreement.JoinAsync(cancellation);
            // Who is no member any more is told nothing: it need not wait for that.
            if (await Task.WhenAny(joining, cluster.Ended).ConfigureAwait(false) == cluster.Ended) await cluster.Ended.ConfigureAwait(false);
            return new AppliedRules(store, await joining.ConfigureAwait(false), agreement);
        }
        catch (RulesetStoreException e)
        {
            throw new SettingsException($"control.directory: {e.Message}");
        }
    }

    /// <summary>The agreement by which a node's rules change.</summary>
    public IRulesetAgreement AgreementFor(LocalNode node, ILoggerFactory logs)
        => _cluster ?? (IRulesetAgreement)(_alone ??= new RulesetAgreement(_store, InForce, [new TracedTarget(node)], TimeProvider.System, logs.CreateLogger<RulesetAgreement>()));

    /// <summary>Before the node decides anything: what came into force since it was opened is what it switches to first.</summary>
    public Task AttachAsync(LocalNode node) => _cluster?.AttachAsync(new TracedTarget(node), InForce) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _alone?.Dispose();
        if (_cluster is not null) await _cluster.DisposeAsync().ConfigureAwait(false);
    }

    private static RulesetStore OpenStore(NodeSettings settings) => RulesetStore.Open(settings.Control!.Folder, settings.Control.History);

    private static InForce? FromFiles(NodeSettings settings)
    {
        RuleFiles.Load(settings); // tells mistakes by the files' names
        var (rules, errors) = CheckedRuleset.Read(RuleFiles.ReadTexts(settings));
        if (rules is null) throw new SettingsException(string.Join('\n', errors.Select(e => e.Format())));
        if (rules.Texts == RulesetTexts.Empty) return null;
        return new InForce(
            new RulesetGeneration
            {
                Number = 1,
                Applied = DateTimeOffset.UtcNow,
                Author = RulesetGeneration.Daemon,
                Comment = RulesetGeneration.FromFiles(new[] { settings.RulesIPv4, settings.RulesIPv6, settings.Sets }.OfType<string>()),
                Digest = rules.Texts.Digest(),
            },
            rules);
    }
}
