using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace FwCluster.Control.Rulesets.Followed;

/// <summary>
/// Applies rule files that others change, such as those of a ConfigMap: what is in them becomes the next generation. Which content was the last that was
/// applied from them is told by the generations themselves (<see cref="RulesetGeneration.IsFromFiles"/>), which all nodes have. So of a cluster one node
/// applies it, once, whichever that is by then, and what somebody else has applied meanwhile goes on until the files change again.
/// </summary>
public sealed partial class RulesetFollower : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IRulesetAgreement _agreement;
    private readonly RulesetFollowerOptions _options;
    private readonly Func<FollowedChange, CancellationToken, Task> _tell;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Task _looking;
    private (string Digest, long Since)? _read;
    private string? _unreadable;
    private string? _baseline;
    private ulong _shown;
    private long _looks;
    private (string Digest, RulesetRefusal Reason, long At)? _refused;

    /// <summary>Begins to look at the files.</summary>
    /// <param name="agreement">By which rules are put in force.</param>
    /// <param name="options">Which files.</param>
    /// <param name="tell">Who is told what became of a change; it is called for one after the other, and its failures are its own.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where it is told, too.</param>
    public RulesetFollower(
        IRulesetAgreement agreement, RulesetFollowerOptions options, Func<FollowedChange, CancellationToken, Task> tell, TimeProvider time, ILogger<RulesetFollower> log)
    {
        (_agreement, _options, _tell, _time, _log) = (agreement, options, tell, time, log);
        _looking = Task.Run(LookAgainAndAgainAsync);
    }

    /// <summary>How often it has looked.</summary>
    internal long Looks => Interlocked.Read(ref _looks);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
        _stop.Dispose();
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "It looks again: files and nodes change.")]
    private async Task LookAgainAndAgainAsync()
    {
        using var timer = new PeriodicTimer(_options.Every, _time);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false);
                await LookAsync().ConfigureAwait(false);
                Interlocked.Increment(ref _looks);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogFault(_log, e.Message);
            }
        }
    }

    private async Task LookAsync()
    {
        if (await ReadAsync().ConfigureAwait(false) is not { } texts) return;
        var digest = texts.Digest();
        if (_read is not { } read || read.Digest != digest)
        {
            // Files may be changed one after the other: taken is what two looks have found.
            _read = (digest, _time.GetTimestamp());
            return;
        }
        var applied = _agreement.History(int.MaxValue, 0).Where(g => g.IsFromFiles).ToArray();
        if (applied is [var last, ..] && last.Digest == digest)
        {
            (_shown, _refused) = (last.Number, null);
            return;
        }
        if (!_agreement.Leads || !IsToBeApplied(texts, digest, applied, read.Since) || !IsToBeTried(digest)) return;
        await ApplyAsync(texts, digest).ConfigureAwait(false);
    }

    /// <summary>True where the content is newer than what was applied last.</summary>
    private bool IsToBeApplied(RulesetTexts texts, string digest, RulesetGeneration[] applied, long since)
    {
        if (applied is [var last, ..])
        {
            // Nodes are shown a change at different times. What was applied before, where the last has not been seen here yet, is likely an old view.
            var isOldView = _shown != last.Number && applied.Any(g => g.Digest == digest);
            return !isOldView || _time.GetElapsedTime(since) >= _options.Grace;
        }
        if (_agreement.Current.Generation.Number == 0) return texts != RulesetTexts.Empty;
        // Rules are in force, and from where the last ones of the files came nobody knows any more: what is there now counts as applied.
        if (_baseline is null)
        {
            _baseline = digest;
            LogBaseline(_log, _agreement.Current.Generation.Number);
        }
        return _baseline != digest;
    }

    /// <summary>Mistakes stay mistakes; what kept a node from taking rules may be over.</summary>
    private bool IsToBeTried(string digest)
        => _refused is not { } refused || refused.Digest != digest || (refused.Reason != RulesetRefusal.Mistakes && _time.GetElapsedTime(refused.At) >= _options.Again);

    private async Task ApplyAsync(RulesetTexts texts, string digest)
    {
        var (rules, errors) = CheckedRuleset.Read(texts);
        if (rules is null)
        {
            var mistakes = string.Join('\n', errors.Select(e => (e with { File = _options.NameOf(e.File) }).ToString()));
            await RefuseAsync(digest, RulesetRefusal.Mistakes, $"{errors.Count} mistake{(errors.Count == 1 ? "" : "s")}:\n{mistakes}").ConfigureAwait(false);
            return;
        }
        var proposal = new RulesetProposal(rules, RulesetGeneration.Daemon)
        {
            Comment = RulesetGeneration.FromFiles(_options.Files),
            Expected = _agreement.Current.Generation.Number,
        };
        try
        {
            var (_, after) = await _agreement.ApplyAsync(proposal).ConfigureAwait(false);
            (_shown, _refused) = (after.Generation.Number, null);
            LogApplied(_log, after.Generation.Number);
            await _tell(new FollowedChange(after.Generation.Number, $"generation {after.Generation.Number} is in force"), _stop.Token).ConfigureAwait(false);
        }
        catch (RulesetRefusedException e) when (e.Reason is RulesetRefusal.Stale or RulesetRefusal.Undecided)
        {
            // Somebody was faster, or the node that leads was lost meanwhile: the next look tells whether these are in force.
        }
        catch (RulesetRefusedException e)
        {
            await RefuseAsync(digest, e.Reason, e.Message).ConfigureAwait(false);
        }
    }

    private async Task RefuseAsync(string digest, RulesetRefusal reason, string message)
    {
        var isNew = _refused is not { } before || before.Digest != digest || before.Reason != reason;
        _refused = (digest, reason, _time.GetTimestamp());
        if (!isNew) return; // told already
        LogRefused(_log, message);
        await _tell(new FollowedChange(null, message), _stop.Token).ConfigureAwait(false);
    }

    private async Task<RulesetTexts?> ReadAsync()
    {
        try
        {
            var texts = new RulesetTexts(await TextAsync(_options.IPv4).ConfigureAwait(false), await TextAsync(_options.IPv6).ConfigureAwait(false),
                await TextAsync(_options.Sets).ConfigureAwait(false));
            _unreadable = null;
            return texts;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _read = null;
            if (_agreement.Leads && _unreadable != e.Message)
            {
                _unreadable = e.Message;
                LogRefused(_log, e.Message);
                await _tell(new FollowedChange(null, e.Message), _stop.Token).ConfigureAwait(false);
            }
            return null;
        }
    }

    private async Task<string> TextAsync(string? file) => file is null ? "" : await File.ReadAllTextAsync(file, _stop.Token).ConfigureAwait(false);

    [LoggerMessage(LogLevel.Information, "The rule files have changed: generation {Generation} is in force")]
    private static partial void LogApplied(ILogger log, ulong generation);

    [LoggerMessage(LogLevel.Error, "The rule files have changed, and nothing else has: {Message}")]
    private static partial void LogRefused(ILogger log, string message);

    [LoggerMessage(LogLevel.Information, "No generation that is left came from the rule files: they are followed from what is in them now on; generation {Generation} stays in force")]
    private static partial void LogBaseline(ILogger log, ulong generation);

    [LoggerMessage(LogLevel.Error, "The rule files cannot be followed just now: {Message}")]
    private static partial void LogFault(ILogger log, string message);
}
