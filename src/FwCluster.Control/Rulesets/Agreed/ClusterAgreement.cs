using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Reason = FwCluster.Control.Protocol.V1.RulesetRefused.Types.Reason;
using Wire = FwCluster.Control.Protocol.V1;

namespace FwCluster.Control.Rulesets.Agreed;

/// <summary>
/// The agreement of all nodes of a cluster, as one of them takes part in it. Whatever changes the rules goes to the coordinator; what is asked about them
/// is answered from this node's own disk.
/// </summary>
public sealed partial class ClusterAgreement : IRulesetAgreement, IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly IRulesetPeers _peers;
    private readonly RulesetAgent _agent;
    private readonly RulesetCoordinator _coordinator;
    private readonly TimeProvider _time;
    private readonly RulesetTimes _times;
    private readonly ILogger _log;
    private readonly Task _looking;

    /// <summary>Begins to take part.</summary>
    /// <param name="name">The node's name: no other one has the same.</param>
    /// <param name="store">The generations on its disk.</param>
    /// <param name="first">The first generation, where no node has any yet; null for no rules. It runs here until the others have told what is in force.</param>
    /// <param name="peers">The nodes.</param>
    /// <param name="times">How long to wait for each other.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where is told what happens by itself.</param>
    /// <exception cref="RulesetStoreException">What is on the disk cannot be used.</exception>
    public ClusterAgreement(string name, RulesetStore store, InForce? first, IRulesetPeers peers, RulesetTimes times, TimeProvider time, ILogger<ClusterAgreement> log)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(peers);
        (_peers, _times, _time, _log) = (peers, times, time, log);
        var last = store.Latest.Number > 0 ? RulesetSuccession.Load(store, store.Latest)
            : new InForce(RulesetGeneration.None, first?.Rules ?? CheckedRuleset.Empty);
        _agent = new RulesetAgent(name, store, last, time, log);
        _coordinator = new RulesetCoordinator(peers, _agent, first, time, times, log, _stop.Token);
        peers.Answer(AnswerAsync);
        peers.Changed += Wake;
        _looking = Task.Run(LookAsync);
    }

    /// <inheritdoc/>
    public InForce Current => _agent.Current;

    /// <inheritdoc/>
    public bool Leads => _coordinator.Which is { IsSelf: true };

    /// <summary>Why what is in force elsewhere is not in force here; null where it is.</summary>
    public string? Problem => _agent.Problem;

    /// <summary>Waits until the others have told what is in force, and this node has it; or, where nobody does in time, says so in the log.</summary>
    /// <returns>What is in force here.</returns>
    public async Task<InForce> JoinAsync(CancellationToken cancellation)
    {
        var patience = 2 * _times.Start; // who coordinates may wait that long itself, for the others
        try
        {
            await _agent.Settled.WaitAsync(patience, _time, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogNobody(_log, patience.TotalSeconds, _agent.Current.Generation.Number, _agent.Problem ?? "no coordinator has answered");
        }
        return _agent.Current;
    }

    /// <summary>Says what runs the rules here, and which it runs already: others that are in force by now it switches to before it decides anything else.</summary>
    public Task AttachAsync(IRulesetTarget target, InForce running)
    {
        ArgumentNullException.ThrowIfNull(running);
        return _agent.AttachAsync(target, running.Generation);
    }

    /// <inheritdoc/>
    public async Task<(InForce Before, InForce After)> ApplyAsync(RulesetProposal proposal)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        _agent.Expect(proposal.Rules);
        var question = new Wire.RulesetQuestion
        {
            Propose = new Wire.RulesetPropose
            {
                Texts = GenerationMessages.Of(proposal.Rules.Texts),
                Author = proposal.Author,
                Comment = proposal.Comment,
                Restores = proposal.Restores,
                ConfirmWithin = proposal.ConfirmWithin is { } within ? Duration.FromTimeSpan(within) : null,
            },
        };
        if (proposal.Expected is { } expected) question.Propose.Expected = expected;
        var seen = _agent.Current;
        var answer = await LeadAsync(question, () => ProposeAsync(question.Propose)).ConfigureAwait(false);
        var before = answer.Before == seen.Generation.Number ? seen : RulesetSuccession.Read(_agent.Store, _agent.Current, answer.Before);
        return (before, new InForce(GenerationMessages.Read(answer.Generation), proposal.Rules));
    }

    /// <inheritdoc/>
    public async Task<RulesetGeneration> ConfirmAsync(ulong generation)
    {
        var answer = await LeadAsync(new Wire.RulesetQuestion { Keep = new Wire.RulesetKeep { Number = generation } }, () => KeepAsync(generation)).ConfigureAwait(false);
        return GenerationMessages.Read(answer.Generation);
    }

    /// <inheritdoc/>
    public IReadOnlyList<RulesetGeneration> History(int limit, ulong before) => _agent.Store.History(limit, before);

    /// <inheritdoc/>
    public InForce Read(ulong generation) => RulesetSuccession.Read(_agent.Store, _agent.Current, generation);

    /// <inheritdoc/>
    public IAsyncEnumerable<RulesetChanged> WatchAsync(CancellationToken cancellation) => _agent.WatchAsync(cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _peers.Changed -= Wake;
        await _stop.CancelAsync().ConfigureAwait(false); // whoever waits for another node waits no longer
        await _looking.ConfigureAwait(false);
    }

    private void Wake()
    {
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It wakes already.
        }
    }

    private async Task LookAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _coordinator.LookAsync().ConfigureAwait(false);
                await _changed.WaitAsync(_coordinator.Pause, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // tried again: somebody has to coordinate
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogNotLed(_log, e.Message);
                await Task.Delay(_times.Look).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Has the coordinator do something, here or on its node; one that is only about to be the coordinator is waited for.</summary>
    private async Task<Wire.RulesetAnswer> LeadAsync(Wire.RulesetQuestion question, Func<Task<Wire.RulesetAnswer>> here)
    {
        var start = _time.GetTimestamp();
        while (true)
        {
            var why = "no node coordinates";
            if (_coordinator.Which is { } which)
            {
                var answer = which.IsSelf ? await here().ConfigureAwait(false) : await AskAsync(which, question).ConfigureAwait(false);
                if (answer.Refused is null) return answer;
                if (answer.Refused.Reason != Reason.NotCoordinator) throw RulesetMessages.Refused(answer.Refused);
                why = $"{(which.IsSelf ? "this node" : which.Address)}: {answer.Refused.Message}";
            }
            if (_time.GetElapsedTime(start) > _times.Decided)
                throw new RulesetRefusedException(RulesetRefusal.Node, $"the nodes of the cluster cannot agree on rules now, and nothing was changed: {why}");
            await Task.Delay(_times.Again).ConfigureAwait(false);
        }
    }

    private async Task<Wire.RulesetAnswer> AskAsync(RulesetPeer which, Wire.RulesetQuestion question)
    {
        try
        {
            return Wire.RulesetAnswer.Parser.ParseFrom(await _peers.AskAsync(which, question.ToByteArray(), _stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new RulesetRefusedException(RulesetRefusal.Undecided, "this node ends; look which generation is in force");
        }
        catch (RulesetPeerException e) when (!e.HasArrived)
        {
            return NotCoordinator(e.Message);
        }
        catch (RulesetPeerException e)
        {
            throw new RulesetRefusedException(RulesetRefusal.Undecided,
                $"the node that coordinates, {which.Address}, was lost meanwhile ({e.Message}): the change is made everywhere soon, or nowhere; look which generation is in force", e);
        }
    }

    private async Task<byte[]> AnswerAsync(byte[] bytes)
    {
        Wire.RulesetQuestion question;
        try
        {
            question = Wire.RulesetQuestion.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            return Refuse(Reason.Node, $"the question cannot be read: {e.Message}").ToByteArray();
        }
        var answer = question.WhatCase switch
        {
            Wire.RulesetQuestion.WhatOneofCase.Propose => await ProposeAsync(question.Propose).ConfigureAwait(false),
            Wire.RulesetQuestion.WhatOneofCase.Keep => await KeepAsync(question.Keep.Number).ConfigureAwait(false),
            _ => await _agent.AnswerAsync(question).ConfigureAwait(false),
        };
        return answer.ToByteArray();
    }

    private Task<Wire.RulesetAnswer> ProposeAsync(Wire.RulesetPropose wanted) => AnswerAsync(async () =>
        await _coordinator.ApplyAsync(wanted).ConfigureAwait(false) is var (before, after)
            ? new Wire.RulesetAnswer { Node = _agent.Name, Generation = GenerationMessages.Of(after), Before = before.Number }
            : NotCoordinator("it does not coordinate, or not yet"));

    private Task<Wire.RulesetAnswer> KeepAsync(ulong generation) => AnswerAsync(async () =>
        await _coordinator.KeepAsync(generation).ConfigureAwait(false) is { } kept
            ? new Wire.RulesetAnswer { Node = _agent.Name, Generation = GenerationMessages.Of(kept) }
            : NotCoordinator("it does not coordinate, or not yet"));

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "Whoever asked is told what is wrong; nobody else is there to be told.")]
    private async Task<Wire.RulesetAnswer> AnswerAsync(Func<Task<Wire.RulesetAnswer>> change)
    {
        try
        {
            return await change().ConfigureAwait(false);
        }
        catch (RulesetRefusedException e)
        {
            return Refuse(RulesetMessages.Reason(e.Reason), e.Message);
        }
        catch (Exception e)
        {
            LogNotLed(_log, e.ToString());
            return Refuse(Reason.Undecided, $"a fault in the node that coordinates: {e.Message}");
        }
    }

    private Wire.RulesetAnswer NotCoordinator(string message) => Refuse(Reason.NotCoordinator, message);

    private Wire.RulesetAnswer Refuse(Reason reason, string message)
        => new() { Node = _agent.Name, Refused = new Wire.RulesetRefused { Reason = reason, Message = message } };

    [LoggerMessage(LogLevel.Warning, "Nobody has told within {Seconds} s which rules are in force in the cluster ({Why}): generation {Generation}, the last on this node's disk, is "
        + "in force here until somebody does")]
    private static partial void LogNobody(ILogger log, double seconds, ulong generation, string why);

    [LoggerMessage(LogLevel.Error, "The rules of the cluster are not coordinated just now: {Message}")]
    private static partial void LogNotLed(ILogger log, string message);
}
