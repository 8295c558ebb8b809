using FwCluster.Api.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Reason = FwCluster.Control.Protocol.V1.RulesetRefused.Types.Reason;
using Wire = FwCluster.Control.Protocol.V1;

namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>
/// The coordinator's part, on the node that is it: the oldest with the role control. Changes go one after the other:
/// <list type="number">
/// <item>Every node makes the generation ready and writes that down. Where one does not, all forget it.</item>
/// <item>This node writes it down as in force: now it is.</item>
/// <item>All others do, too, and each switches.</item>
/// </list>
/// Who becomes the coordinator asks all how they are, by a higher ballot than the last one's, so that the last one says nothing more. What one has in
/// force is brought to all. What is ready at all that were to make it ready and are there may be in force at one that is not: it is put in force. What
/// one of them has not is in force nowhere, and forgotten.
/// </summary>
internal sealed partial class RulesetCoordinator : IDisposable
{
    private const int MostFilled = 64;

    private readonly SemaphoreSlim _changing = new(1);
    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<int, string> _failures = [];
    private readonly IRulesetPeers _peers;
    private readonly RulesetAgent _agent;
    private readonly InForce? _first;
    private readonly TimeProvider _time;
    private readonly RulesetTimes _times;
    private readonly ILogger _log;
    private readonly CancellationToken _stop;
    private long? _began;
    private RulesetBallot? _ballot;
    private ulong _highest;

    /// <summary>Makes the part of a node.</summary>
    /// <param name="peers">The nodes.</param>
    /// <param name="agent">This one.</param>
    /// <param name="first">The first generation, where there is none yet; null for no rules.</param>
    /// <param name="time">The clock.</param>
    /// <param name="times">How long to wait.</param>
    /// <param name="log">Where is told what happens by itself.</param>
    /// <param name="stop">This node ends.</param>
    public RulesetCoordinator(
        IRulesetPeers peers, RulesetAgent agent, InForce? first, TimeProvider time, RulesetTimes times, ILogger log, CancellationToken stop)
        => (_peers, _agent, _first, _time, _times, _log, _stop) = (peers, agent, first, time, times, log, stop);

    /// <summary>The coordinator, as this node sees it; null where nobody is up.</summary>
    public RulesetPeer? Which => _peers.Members.OrderBy(m => m.MayCoordinate ? 0 : 1).FirstOrDefault();

    /// <summary>How long until the next look.</summary>
    public TimeSpan Pause
    {
        get
        {
            if (_ballot is null) return Which is { IsSelf: true } ? _times.Again : _times.Look;
            var left = _agent.Current.Generation.ConfirmBy - _time.GetUtcNow();
            return left is { } time && time < _times.Look ? (time > _times.Again ? time : _times.Again) : _times.Look;
        }
    }

    /// <summary>Does what there is to do without being asked.</summary>
    public async Task LookAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (Which is not { IsSelf: true })
            {
                _ballot = null;
                return;
            }
            if (_ballot is null) await TakeOverAsync().ConfigureAwait(false);
            else await BringToAllAsync(mayBegin: true).ConfigureAwait(false);
            if (_ballot is not null && _agent.Current.Generation.ConfirmBy <= _time.GetUtcNow()) await ExpireAsync().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Puts rules in force on all nodes, or on none. Each reads them itself: nobody waits for this one to have read them first.</summary>
    /// <returns>The generations before and now; null where this is not the coordinator.</returns>
    /// <exception cref="RulesetRefusedException">They are not in force.</exception>
    public async Task<(RulesetGeneration Before, RulesetGeneration After)?> ApplyAsync(Wire.RulesetPropose wanted)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_ballot is null) return null;
            var before = _agent.Current.Generation;
            RulesetSuccession.Check(before, wanted.HasExpected ? wanted.Expected : null);
            var reason = new RulesetReason(wanted.Author, wanted.Comment, wanted.Restores, wanted.ConfirmWithin?.ToTimeSpan());
            var after = RulesetSuccession.Next(before, GenerationMessages.Read(wanted.Texts), reason, _time.GetUtcNow());
            await SwitchAsync(after, wanted.Texts, reason.Restores == 0 ? RulesetChangeKind.Applied : RulesetChangeKind.RolledBack).ConfigureAwait(false);
            return (before, after);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Keeps a generation that waits to be confirmed.</summary>
    /// <returns>The generation; null where this is not the coordinator.</returns>
    /// <exception cref="RulesetRefusedException">It does not wait.</exception>
    public async Task<RulesetGeneration?> KeepAsync(ulong generation)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_ballot is null) return null;
            var current = _agent.Current.Generation;
            RulesetSuccession.CheckWaits(current, generation);
            var kept = current with { ConfirmBy = null };
            var settle = new Wire.RulesetQuestion { Settle = new Wire.RulesetSettle { Generation = GenerationMessages.Of(kept) } };
            // Where it is on this disk it is confirmed; a node that does not answer now is told at the next look.
            var own = await AskSelfAsync(settle).ConfigureAwait(false);
            if (own.Refused is { } refused) throw RulesetMessages.Refused(refused);
            await Task.WhenAll(_peers.Members.Where(m => !m.IsSelf).Select(m => TryAskAsync(m, settle, _times.Decided))).ConfigureAwait(false);
            return kept;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _changing.Dispose();

    private async Task TakeOverAsync()
    {
        var members = _peers.Members;
        if (members.Any(m => !m.IsReachable)) return; // soon it answers, or is no member any more
        var ballot = new RulesetBallot(Math.Max(_highest, _agent.Promised.Number) + 1, members.First(m => m.IsSelf).Uid);
        var (nodes, isComplete) = await AskAllAsync(members, ballot).ConfigureAwait(false);
        if (!isComplete) return;
        if (!nodes.Any(n => n.State.IsSettled) && !_peers.AreAllThere)
        {
            if (_time.GetElapsedTime(_began ??= _time.GetTimestamp()) < _times.Start) return;
            LogAlone(_log, nodes.Count, _times.Start.TotalSeconds);
        }
        _ballot = ballot;
        LogLeads(_log, ballot.Number);
        if (Unfinished(nodes, Latest(nodes)) is { } unfinished)
        {
            LogFinishes(_log, unfinished.Number, unfinished.Author);
            if (!await FinishAsync(nodes, unfinished).ConfigureAwait(false))
            {
                _ballot = null; // it must not be forgotten, so it is tried again
                return;
            }
        }
        await BringToAllAsync(mayBegin: true).ConfigureAwait(false);
    }

    /// <summary>Has all nodes have what is in force, and the generations before it.</summary>
    /// <param name="mayBegin">Where there is no generation, the first one is made.</param>
    private async Task BringToAllAsync(bool mayBegin)
    {
        var (nodes, _) = await AskAllAsync(_peers.Members.Where(m => m.IsReachable).ToList(), _ballot!.Value).ConfigureAwait(false);
        if (_ballot is null || nodes.Count == 0) return;
        var latest = Latest(nodes);
        if (latest.Number == 0 && _first is not null)
        {
            if (!mayBegin) return;
            latest = _first.Generation with { Applied = _time.GetUtcNow() };
            _agent.Expect(_first.Rules);
            await SwitchAsync(latest, GenerationMessages.Of(_first.Rules.Texts), RulesetChangeKind.Applied).ConfigureAwait(false);
            await BringToAllAsync(mayBegin: false).ConfigureAwait(false);
            return;
        }
        await TakeAsync(nodes, latest, RulesetChangeKind.Applied).ConfigureAwait(false);
        await FillAsync(nodes, latest).ConfigureAwait(false);
        var settle = new Wire.RulesetQuestion { Settle = new Wire.RulesetSettle { Generation = GenerationMessages.Of(latest) } };
        foreach (var node in nodes.Where(n => !IsSettledBy(n.State, latest))) await TryDoAsync(node.Peer, settle).ConfigureAwait(false);
    }

    private static bool IsSettledBy(Wire.RulesetState state, RulesetGeneration latest)
        => state.IsSettled && state.Prepared is null && GenerationMessages.Read(state.Committed) == latest;

    /// <summary>Asks all how they are: what they say, and whether all did.</summary>
    private async Task<(List<(RulesetPeer Peer, Wire.RulesetState State)> Nodes, bool IsComplete)> AskAllAsync(IReadOnlyList<RulesetPeer> members, RulesetBallot ballot)
    {
        var question = new Wire.RulesetQuestion { Ballot = RulesetMessages.Ballot(ballot), Promise = new Wire.RulesetPromise() };
        var answers = await Task.WhenAll(members.Select(async m => (Peer: m, Answer: await TryAskAsync(m, question, _times.Decided).ConfigureAwait(false)))).ConfigureAwait(false);
        foreach (var (_, answer) in answers) _highest = Math.Max(_highest, answer.State?.Promised?.Number ?? 0);
        if (answers.Any(a => a.Answer.Refused is { Reason: Reason.OtherBallot })) _ballot = null;
        foreach (var (peer, answer) in answers.Where(a => a.Answer.Refused is not null)) Note(peer, answer.Refused.Message);
        return ([.. answers.Where(a => a.Answer.Refused is null).Select(a => (a.Peer, a.Answer.State))], answers.All(a => a.Answer.Refused is null));
    }

    /// <summary>What is in force: the last that one has. Of two with the same number, one that a coordinator has told of; and what one knows to be confirmed
    /// is.</summary>
    private static RulesetGeneration Latest(List<(RulesetPeer Peer, Wire.RulesetState State)> nodes)
    {
        var all = nodes.Select(n => (Generation: GenerationMessages.Read(n.State.Committed), n.State.IsSettled)).ToList();
        var latest = all.OrderByDescending(g => g.Generation.Number).ThenByDescending(g => g.IsSettled).ThenByDescending(g => g.Generation.Applied)
            .ThenBy(g => g.Generation.Digest, StringComparer.Ordinal).First().Generation;
        return all.Any(g => RulesetMessages.AreSame(g.Generation, latest) && g.Generation.ConfirmBy is null) ? latest with { ConfirmBy = null } : latest;
    }

    /// <summary>What may be in force at a node that is not there: all that were to make it ready and are there have it ready.</summary>
    private RulesetGeneration? Unfinished(List<(RulesetPeer Peer, Wire.RulesetState State)> nodes, RulesetGeneration latest)
    {
        foreach (var holder in nodes.Where(n => n.State.Prepared is not null && n.State.Prepared.Number > latest.Number)
            .OrderByDescending(n => RulesetMessages.Ballot(n.State.PreparedBallot)).ThenByDescending(n => n.State.Prepared.Number))
        {
            var generation = GenerationMessages.Read(holder.State.Prepared);
            var isEverywhere = nodes.Where(n => holder.State.PreparedNodes.Contains(NameOf(n.Peer)))
                .All(n => n.State.Prepared is { } prepared && RulesetMessages.AreSame(GenerationMessages.Read(prepared), generation));
            if (isEverywhere) return generation;
        }
        return null;
    }

    private async Task<bool> FinishAsync(List<(RulesetPeer Peer, Wire.RulesetState State)> nodes, RulesetGeneration unfinished)
    {
        var commit = new Wire.RulesetQuestion
        {
            Commit = new Wire.RulesetCommit { Generation = GenerationMessages.Of(unfinished), Kind = GenerationMessages.Of(unfinished.Restores == 0 ? RulesetChangeKind.Applied : RulesetChangeKind.RolledBack) },
        };
        var isInForce = false;
        foreach (var node in nodes.Where(n => n.State.Prepared is { } prepared && RulesetMessages.AreSame(GenerationMessages.Read(prepared), unfinished)))
            isInForce |= await TryDoAsync(node.Peer, commit).ConfigureAwait(false);
        return isInForce;
    }

    /// <summary>Gives nodes that have something else what is in force.</summary>
    private async Task TakeAsync(List<(RulesetPeer Peer, Wire.RulesetState State)> nodes, RulesetGeneration latest, RulesetChangeKind kind)
    {
        var others = nodes.Where(n => !RulesetMessages.AreSame(GenerationMessages.Read(n.State.Committed), latest)).ToList();
        if (others.Count == 0) return;
        var holder = nodes.First(n => RulesetMessages.AreSame(GenerationMessages.Read(n.State.Committed), latest)).Peer;
        if (await FetchAsync(holder, latest.Number).ConfigureAwait(false) is not { } texts) return;
        if (latest.ConfirmBy is not null) await FillAsync(nodes, latest).ConfigureAwait(false); // what it may have to go back to comes first
        var install = new Wire.RulesetQuestion
        {
            Install = new Wire.RulesetInstall { Generation = GenerationMessages.Of(latest), Texts = texts, Kind = GenerationMessages.Of(kind) },
        };
        await Task.WhenAll(others.Select(n => TryDoAsync(n.Peer, install))).ConfigureAwait(false);
    }

    /// <summary>Gives nodes that were away the generations that they missed, as far as they have room.</summary>
    private async Task FillAsync(List<(RulesetPeer Peer, Wire.RulesetState State)> nodes, RulesetGeneration latest)
    {
        var known = nodes.SelectMany(n => n.State.Known).Where(n => n < latest.Number).Distinct().OrderDescending().ToList();
        foreach (var number in known.Order())
        {
            var without = nodes.Where(n => !n.State.Known.Contains(number) && known.Take((int)Math.Min(n.State.Room, MostFilled) - 1).Contains(number)).ToList();
            if (without.Count == 0) continue;
            var holder = nodes.First(n => n.State.Known.Contains(number)).Peer;
            if (await FetchVersionAsync(holder, number).ConfigureAwait(false) is not { } found) continue;
            var remember = new Wire.RulesetQuestion { Remember = new Wire.RulesetRemember { Generation = found.Generation, Texts = found.Texts } };
            foreach (var node in without) await TryDoAsync(node.Peer, remember).ConfigureAwait(false);
        }
    }

    private async Task ExpireAsync()
    {
        var current = _agent.Current.Generation;
        try
        {
            var kept = RulesetSuccession.LastKept(_agent.Store, current);
            if (kept.Number == 0 && current.Number > 1) throw new RulesetStoreException("the generation before it is not on this node's disk");
            var before = RulesetSuccession.Load(_agent.Store, kept);
            var undone = RulesetSuccession.Undo(current, before.Generation, "in time", _time.GetUtcNow());
            _agent.Expect(before.Rules);
            await SwitchAsync(undone, GenerationMessages.Of(before.Rules.Texts), RulesetChangeKind.Expired).ConfigureAwait(false);
            LogExpired(_log, current.Number, undone.Number, before.Generation.Number);
        }
        catch (Exception e) when (e is RulesetRefusedException or RulesetStoreException)
        {
            LogNotUndone(_log, current.Number, e.Message); // tried again: rules that nobody confirmed must not stay
        }
    }

    private async Task SwitchAsync(RulesetGeneration next, RulesetText texts, RulesetChangeKind kind)
    {
        if (_peers.Members.Any(m => !_names.ContainsKey(m.Uid))) await BringToAllAsync(mayBegin: false).ConfigureAwait(false); // who has just come takes part
        if (_ballot is null) throw Depose();
        var members = _peers.Members;
        if (members.FirstOrDefault(m => !m.IsReachable) is { } gone) throw Refuse(gone, "it cannot be reached");
        var version = GenerationMessages.Of(next);
        var prepare = new Wire.RulesetQuestion { Prepare = new Wire.RulesetPrepare { Generation = version, Texts = texts } };
        prepare.Prepare.Nodes.Add(members.Select(NameOf));
        // The others are asked before this node, which reads the rules on this very thread, and all read them at once.
        var answers = await Task.WhenAll(members.OrderBy(m => m.IsSelf)
            .Select(async m => (Peer: m, Answer: await TryAskAsync(m, prepare, _times.Prepare).ConfigureAwait(false)))).ConfigureAwait(false);
        // Who has another coordinator by now has answered that one already what it has ready.
        if (_ballot is null || answers.Any(a => a.Answer.Refused?.Reason == Reason.OtherBallot)) throw Depose();
        if (answers.FirstOrDefault(a => a.Answer.Refused is not null) is { Answer: not null } refusal)
        {
            await AbortAsync(members, version).ConfigureAwait(false);
            throw Refuse(refusal.Peer, refusal.Answer.Refused.Message);
        }

        var commit = new Wire.RulesetQuestion { Commit = new Wire.RulesetCommit { Generation = version, Kind = GenerationMessages.Of(kind) } };
        var durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var own = AskSelfAsync(commit, durable.SetResult);
        await Task.WhenAny(own, durable.Task).ConfigureAwait(false);
        if (!durable.Task.IsCompleted && (await own.ConfigureAwait(false)).Refused is { } refused)
        {
            if (refused.Reason == Reason.OtherBallot) throw Depose();
            await AbortAsync(members, version).ConfigureAwait(false);
            throw Refuse(members.First(m => m.IsSelf), refused.Message);
        }
        await Task.WhenAll([own, .. members.Where(m => !m.IsSelf).Select(m => InsistAsync(m, commit))]).ConfigureAwait(false);
    }

    /// <summary>Has all forget what they have made ready; nobody is told that it is in force nowhere before they have.</summary>
    private async Task AbortAsync(IReadOnlyList<RulesetPeer> members, Generation version)
    {
        var abort = new Wire.RulesetQuestion { Abort = new Wire.RulesetAbort { Generation = version } };
        var done = await Task.WhenAll(members.Select(m => InsistAsync(m, abort))).ConfigureAwait(false);
        if (_ballot is null) throw Depose();
        if (done.All(d => d)) return;
        throw new RulesetRefusedException(RulesetRefusal.Undecided,
            $"not all nodes could take the rules, and node {NameOf(members[Array.IndexOf(done, false)])} has not said that it has given them up");
    }

    /// <summary>Asks until it is done, or the node is gone; false where that takes too long.</summary>
    private async Task<bool> InsistAsync(RulesetPeer peer, Wire.RulesetQuestion question)
    {
        var start = _time.GetTimestamp();
        while (_peers.Members.Any(m => m.Uid == peer.Uid))
        {
            var answer = await TryAskAsync(peer, question, _times.Decided).ConfigureAwait(false);
            if (answer.Refused is null) return true;
            if (answer.Refused.Reason == Reason.OtherBallot) _ballot = null;
            if (_ballot is null || _time.GetElapsedTime(start) > _times.Decided)
            {
                LogNotDone(_log, NameOf(peer), answer.Refused.Message);
                return false;
            }
            await Task.Delay(_times.Again).ConfigureAwait(false);
        }
        return true;
    }

    private RulesetRefusedException Refuse(RulesetPeer peer, string why)
        => new(RulesetRefusal.Node, $"node {NameOf(peer)} cannot take the rules, so they are nowhere in force: {why}");

    private RulesetRefusedException Depose()
    {
        _ballot = null;
        return new RulesetRefusedException(RulesetRefusal.Undecided, "another node became the coordinator meanwhile; look which generation is in force");
    }

    private string NameOf(RulesetPeer peer) => _names.GetValueOrDefault(peer.Uid, peer.Address);

    private async Task<RulesetText?> FetchAsync(RulesetPeer holder, ulong number)
        => number == 0 ? GenerationMessages.Of(RulesetTexts.Empty) : (await FetchVersionAsync(holder, number).ConfigureAwait(false))?.Texts;

    private async Task<Wire.RulesetAnswer?> FetchVersionAsync(RulesetPeer holder, ulong number)
    {
        var answer = await TryAskAsync(holder, new Wire.RulesetQuestion { Fetch = new Wire.RulesetFetch { Number = number } }, _times.Decided).ConfigureAwait(false);
        if (answer.Refused is null) return answer;
        Note(holder, answer.Refused.Message);
        return null;
    }

    /// <summary>Asks; what keeps the node from it is logged when it is another reason than the last time.</summary>
    private async Task<bool> TryDoAsync(RulesetPeer peer, Wire.RulesetQuestion question)
    {
        var answer = await TryAskAsync(peer, question, _times.Prepare).ConfigureAwait(false);
        if (answer.Refused is null) return true;
        if (answer.Refused.Reason == Reason.OtherBallot) _ballot = null;
        Note(peer, answer.Refused.Message);
        return false;
    }

    private void Note(RulesetPeer peer, string problem)
    {
        lock (_failures)
        {
            if (_failures.GetValueOrDefault(peer.Uid) == problem) return;
            _failures[peer.Uid] = problem;
        }
        LogNotDone(_log, NameOf(peer), problem);
    }

    private Task<Wire.RulesetAnswer> AskSelfAsync(Wire.RulesetQuestion question, Action? durable = null)
    {
        if (_ballot is { } ballot) question.Ballot ??= RulesetMessages.Ballot(ballot);
        return _agent.AnswerAsync(question, durable);
    }

    /// <summary>Asks; that there is no answer is a refusal.</summary>
    private async Task<Wire.RulesetAnswer> TryAskAsync(RulesetPeer peer, Wire.RulesetQuestion question, TimeSpan within)
    {
        Wire.RulesetAnswer answer;
        if (peer.IsSelf)
        {
            answer = await AskSelfAsync(question).ConfigureAwait(false);
        }
        else
        {
            using var time = new CancellationTokenSource(within, _time);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, _stop);
            try
            {
                if (_ballot is { } ballot && question.WhatCase != Wire.RulesetQuestion.WhatOneofCase.Fetch) question.Ballot ??= RulesetMessages.Ballot(ballot);
                answer = Wire.RulesetAnswer.Parser.ParseFrom(await _peers.AskAsync(peer, question.ToByteArray(), end.Token).ConfigureAwait(false));
            }
            catch (RulesetPeerException e)
            {
                return Silent(e.Message);
            }
            catch (OperationCanceledException)
            {
                return Silent($"it has not answered within {within.TotalSeconds:0.#} s");
            }
            catch (InvalidProtocolBufferException e)
            {
                return Silent($"its answer cannot be read: {e.Message}");
            }
        }
        lock (_failures)
        {
            if (answer.Node.Length > 0) _names[peer.Uid] = answer.Node;
            if (answer.Refused is null && question.WhatCase is Wire.RulesetQuestion.WhatOneofCase.Settle) _failures.Remove(peer.Uid);
        }
        return answer;
    }

    private static Wire.RulesetAnswer Silent(string why) => new() { Refused = new Wire.RulesetRefused { Reason = Reason.Node, Message = why } };

    [LoggerMessage(LogLevel.Information, "This node coordinates the rules of the cluster now (ballot {Ballot})")]
    private static partial void LogLeads(ILogger log, ulong ballot);

    [LoggerMessage(LogLevel.Warning, "Not all nodes that the seeds name are there after {Seconds} s: the {Nodes} that are go on with the last generation that one of them has on its disk")]
    private static partial void LogAlone(ILogger log, int nodes, double seconds);

    [LoggerMessage(LogLevel.Warning, "Generation {Generation} of {Author} was ready on all nodes when the node that coordinated was lost: it is put in force")]
    private static partial void LogFinishes(ILogger log, ulong generation, string author);

    [LoggerMessage(LogLevel.Warning, "Node {Node} has not done what was decided about the rules: {Problem}")]
    private static partial void LogNotDone(ILogger log, string node, string problem);

    [LoggerMessage(LogLevel.Warning, "Generation {Generation} was not confirmed in time: generation {Next} has the rules of {Before} again")]
    private static partial void LogExpired(ILogger log, ulong generation, ulong next, ulong before);

    [LoggerMessage(LogLevel.Error, "Generation {Generation} was not confirmed in time, and could not be undone yet: {Message}")]
    private static partial void LogNotUndone(ILogger log, ulong generation, string message);
}
