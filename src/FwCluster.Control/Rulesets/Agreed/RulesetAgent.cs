using Microsoft.Extensions.Logging;
using Reason = FwCluster.Control.Protocol.V1.RulesetRefused.Types.Reason;
using Wire = FwCluster.Control.Protocol.V1;

namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>
/// A node's own part: has generations on its disk and runs the last one, and does what the coordinator with the highest ballot says. What it has made
/// ready it can switch to, whatever happens to it meanwhile; it switches, or forgets it, when a coordinator says so.
/// </summary>
internal sealed partial class RulesetAgent : IDisposable
{
    private const int MostKnown = 64;

    private readonly SemaphoreSlim _changing = new(1);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RulesetWatchers _watchers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RulesetStore _store;
    private IRulesetTarget? _target;
    private RulesetBallot _promised;
    private RulesetGeneration? _aborted;
    private (InForce Rules, IPreparedRuleset? Ready)? _prepared;
    private volatile InForce _current;
    private volatile CheckedRuleset? _hint;

    /// <summary>Makes the part of a node that runs nothing yet.</summary>
    /// <param name="name">The node's name.</param>
    /// <param name="store">The generations on its disk.</param>
    /// <param name="last">The last of them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where is told what happens.</param>
    public RulesetAgent(string name, RulesetStore store, InForce last, TimeProvider time, ILogger log)
    {
        (Name, _store, _current, _time, _log) = (name, store, last, time, log);
        _watchers = new RulesetWatchers(_changing);
    }

    public string Name { get; }

    /// <summary>The generations on the disk.</summary>
    public RulesetStore Store => _store;

    /// <summary>What is in force here.</summary>
    public InForce Current => _current;

    /// <summary>Completes when a coordinator has told what is in force, and it is here.</summary>
    public Task Settled => _settled.Task;

    /// <summary>The highest ballot that it has heard of.</summary>
    public RulesetBallot Promised => _promised;

    /// <summary>Why what is in force elsewhere is not in force here; null where it is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Rules that were read already, and will be asked for.</summary>
    public void Expect(CheckedRuleset rules) => _hint = rules;

    /// <summary>What is to run the rules; it runs some already. When this returns, it switches to those in force before it decides anything else.</summary>
    public async Task AttachAsync(IRulesetTarget target, RulesetGeneration running)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        var switching = Task.CompletedTask;
        try
        {
            _target = target;
            if (!RulesetMessages.AreSame(running, _current.Generation)) switching = (await target.PrepareAsync(_current).ConfigureAwait(false)).CommitAsync();
        }
        finally
        {
            // What is not started yet switches when it is: it cannot be waited for here, and nothing else is to overtake it.
            _ = switching.ContinueWith(_ => _changing.Release(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>What is in force, and then each change.</summary>
    public IAsyncEnumerable<RulesetChanged> WatchAsync(CancellationToken cancellation) => _watchers.WatchAsync(() => _current.Generation, cancellation);

    /// <summary>Does what a coordinator asks, or says why not.</summary>
    /// <param name="question">What it asks.</param>
    /// <param name="durable">Called when a commit is on the disk, before the switch.</param>
    public async Task<Wire.RulesetAnswer> AnswerAsync(Wire.RulesetQuestion question, Action? durable = null)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (question.WhatCase == Wire.RulesetQuestion.WhatOneofCase.Fetch) return Give(question.Fetch.Number);
            var ballot = RulesetMessages.Ballot(question.Ballot);
            if (ballot < _promised) return Refuse(Reason.OtherBallot, "another node has become the coordinator");
            _promised = ballot;
            switch (question.WhatCase)
            {
                case Wire.RulesetQuestion.WhatOneofCase.Promise:
                    return new Wire.RulesetAnswer { Node = Name, State = State() };
                case Wire.RulesetQuestion.WhatOneofCase.Prepare:
                    await PrepareAsync(question.Prepare, ballot).ConfigureAwait(false);
                    break;
                case Wire.RulesetQuestion.WhatOneofCase.Commit:
                    await CommitAsync(GenerationMessages.Read(question.Commit.Generation), GenerationMessages.Read(question.Commit.Kind), durable).ConfigureAwait(false);
                    break;
                case Wire.RulesetQuestion.WhatOneofCase.Abort:
                    Abort(GenerationMessages.Read(question.Abort.Generation));
                    break;
                case Wire.RulesetQuestion.WhatOneofCase.Install:
                    await InstallAsync(question.Install).ConfigureAwait(false);
                    break;
                case Wire.RulesetQuestion.WhatOneofCase.Remember:
                    Remember(GenerationMessages.Read(question.Remember.Generation), GenerationMessages.Read(question.Remember.Texts));
                    break;
                case Wire.RulesetQuestion.WhatOneofCase.Settle:
                    Settle(GenerationMessages.Read(question.Settle.Generation));
                    break;
                default:
                    return Refuse(Reason.Unspecified, "this version does not know the question");
            }
            return new Wire.RulesetAnswer { Node = Name };
        }
        catch (RulesetRefusedException e)
        {
            return Refuse(RulesetMessages.Reason(e.Reason), e.Message);
        }
        catch (RulesetStoreException e)
        {
            return Refuse(Reason.Disk, e.Message);
        }
#pragma warning disable CA1031 // whatever keeps this node from it is told to who asked
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFault(_log, e);
            return Refuse(Reason.Node, e.Message);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _changing.Dispose();

    private Wire.RulesetAnswer Refuse(Reason reason, string message)
        => new() { Node = Name, Refused = new Wire.RulesetRefused { Reason = reason, Message = message }, State = State() };

    private Wire.RulesetState State()
    {
        var state = new Wire.RulesetState
        {
            Committed = GenerationMessages.Of(_current.Generation),
            Promised = RulesetMessages.Ballot(_promised),
            IsSettled = _settled.Task.IsCompleted,
            Room = (uint)_store.Keep,
        };
        state.Known.Add(_store.History(MostKnown, before: 0).Select(g => g.Number));
        if (_store.Prepared is not { } prepared) return state;
        state.Prepared = GenerationMessages.Of(prepared.Generation);
        state.PreparedNodes.Add(prepared.Nodes);
        state.PreparedBallot = RulesetMessages.Ballot(prepared.Ballot);
        return state;
    }

    private Wire.RulesetAnswer Give(ulong number)
    {
        var found = RulesetSuccession.Read(_store, _current, number);
        return new Wire.RulesetAnswer { Node = Name, Generation = GenerationMessages.Of(found.Generation), Texts = GenerationMessages.Of(found.Rules.Texts) };
    }

    private async Task PrepareAsync(Wire.RulesetPrepare question, RulesetBallot ballot)
    {
        var generation = GenerationMessages.Read(question.Generation);
        if (RulesetMessages.AreSame(_current.Generation, generation)) return;
        if (_aborted is { } aborted && RulesetMessages.AreSame(aborted, generation)) throw new RulesetRefusedException(RulesetRefusal.Node, "it was told to forget them");
        if (generation.Number <= _current.Generation.Number)
            throw new RulesetRefusedException(RulesetRefusal.Stale, $"generation {_current.Generation.Number} is in force there");
        if (_store.Prepared is { } ready && RulesetMessages.AreSame(ready.Generation, generation)) return;
        var rules = Understand(generation, GenerationMessages.Read(question.Texts));
        var prepared = _target is null ? null : await _target.PrepareAsync(rules).ConfigureAwait(false);
        _prepared = null;
        _store.Prepare(new PreparedGeneration(generation, [.. question.Nodes], ballot), rules.Rules.Texts);
        _prepared = (rules, prepared);
    }

    private async Task CommitAsync(RulesetGeneration generation, RulesetChangeKind kind, Action? durable)
    {
        if (RulesetMessages.AreSame(_current.Generation, generation)) return;
        if (_store.Prepared is not { } prepared || !RulesetMessages.AreSame(prepared.Generation, generation))
            throw new RulesetRefusedException(RulesetRefusal.NotFound, $"generation {generation.Number} is not ready there");
        var (rules, ready) = _prepared ?? (RulesetSuccession.Understand(generation, _store.ReadPrepared()), null);
        if (ready is null && _target is not null) ready = await _target.PrepareAsync(rules).ConfigureAwait(false);
        _store.CommitPrepared();
        await SwitchAsync(rules, ready, kind, durable).ConfigureAwait(false);
    }

    private void Abort(RulesetGeneration generation)
    {
        if (RulesetMessages.AreSame(_current.Generation, generation))
            throw new RulesetRefusedException(RulesetRefusal.Undecided, $"generation {generation.Number} is in force there");
        _aborted = generation;
        if (_store.Prepared is not { } prepared || !RulesetMessages.AreSame(prepared.Generation, generation)) return;
        _prepared = null;
        _store.DropPrepared();
    }

    private async Task InstallAsync(Wire.RulesetInstall question)
    {
        var generation = GenerationMessages.Read(question.Generation);
        if (RulesetMessages.AreSame(_current.Generation, generation)) return;
        if (generation.Number < _current.Generation.Number)
            throw new RulesetRefusedException(RulesetRefusal.Stale, $"generation {_current.Generation.Number} is in force there");
        try
        {
            var rules = Understand(generation, GenerationMessages.Read(question.Texts));
            var ready = _target is null ? null : await _target.PrepareAsync(rules).ConfigureAwait(false);
            var before = _current.Generation;
            _store.Put(generation, rules.Rules.Texts);
            if (_store.Prepared is { } prepared && RulesetMessages.AreSame(prepared.Generation, generation)) _store.DropPrepared();
            LogInstalled(_log, generation.Number, generation.Author, before.Number);
            await SwitchAsync(rules, ready, GenerationMessages.Read(question.Kind), null).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Problem = $"generation {generation.Number} is in force elsewhere, and this node, with generation {_current.Generation.Number}, cannot take it: {e.Message}";
            throw;
        }
    }

    private void Remember(RulesetGeneration generation, RulesetTexts texts)
    {
        if (_store.Find(generation.Number) is not null || texts.Digest() != generation.Digest) return;
        _store.Put(generation, texts);
    }

    private void Settle(RulesetGeneration generation)
    {
        var current = _current;
        if (!RulesetMessages.AreSame(current.Generation, generation))
            throw new RulesetRefusedException(RulesetRefusal.Stale, $"generation {current.Generation.Number} is in force there");
        if (current.Generation.ConfirmBy is not null && generation.ConfirmBy is null)
        {
            _current = current with { Generation = _store.Confirm(current.Generation, _time.GetUtcNow()) };
            _watchers.Tell(RulesetChangeKind.Confirmed, _current.Generation);
        }
        _prepared = null;
        if (_store.Prepared is { } left)
        {
            LogForgotten(_log, left.Generation.Number, left.Generation.Author, generation.Number);
            _store.DropPrepared();
        }
        Problem = null;
        if (_settled.TrySetResult()) LogSettled(_log, generation.Number);
    }

    private async Task SwitchAsync(InForce rules, IPreparedRuleset? ready, RulesetChangeKind kind, Action? durable)
    {
        _prepared = null;
        _current = rules;
        durable?.Invoke();
        if (ready is not null) await ready.CommitAsync().ConfigureAwait(false);
        _watchers.Tell(kind, rules.Generation);
    }

    private InForce Understand(RulesetGeneration generation, RulesetTexts texts)
    {
        if (_hint is { } hint && hint.Texts == texts) return new InForce(generation, hint);
        if (texts.Digest() != generation.Digest) throw new RulesetRefusedException(RulesetRefusal.Node, "what came is not what was sent: its sha256 is another one");
        return RulesetSuccession.Understand(generation, texts);
    }

    [LoggerMessage(LogLevel.Information, "Generation {Generation} of {Author} is in force in the cluster, and now here, after generation {Before}")]
    private static partial void LogInstalled(ILogger log, ulong generation, string author, ulong before);

    [LoggerMessage(LogLevel.Information, "Generation {Generation} is in force, as in all of the cluster")]
    private static partial void LogSettled(ILogger log, ulong generation);

    [LoggerMessage(LogLevel.Warning, "Generation {Generation} of {Author} was made ready here and is in force nowhere: it is forgotten, generation {InForce} is in force")]
    private static partial void LogForgotten(ILogger log, ulong generation, string author, ulong inForce);

    [LoggerMessage(LogLevel.Error, "Rules of the cluster could not be taken")]
    private static partial void LogFault(ILogger log, Exception exception);
}
