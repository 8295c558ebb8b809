using System.Diagnostics;
using System.Globalization;
using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using RuleError = FwCluster.Api.V1.RuleError;

namespace FwCluster.Control.Services;

/// <summary>Answers <see cref="RulesetService"/>.</summary>
internal sealed class RulesetEndpoint(IControlledCluster cluster) : RulesetService.RulesetServiceBase
{
    private const int MostComment = 1000;
    private const int MostErrorsInStatus = 10;
    private const int MostHistory = 10_000;
    private const int UsualHistory = 100;

    /// <inheritdoc/>
    public override Task<CheckRulesetResponse> Check(CheckRulesetRequest request, ServerCallContext context)
    {
        var (rules, errors) = CheckedRuleset.Read(GenerationMessages.Read(request.Rules));
        var response = new CheckRulesetResponse { Valid = rules is not null, Canonical = rules is null ? null : GenerationMessages.Of(rules.Canonical) };
        response.Errors.Add(errors.Select(ErrorOf));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<ApplyRulesetResponse> Apply(ApplyRulesetRequest request, ServerCallContext context)
        => TracedAsync("ruleset.apply", context, () => ApplyAsync(request, context));

    /// <inheritdoc/>
    public override Task<ConfirmRulesetResponse> Confirm(ConfirmRulesetRequest request, ServerCallContext context)
        => TracedAsync("ruleset.confirm", context, () => ConfirmAsync(request, context));

    /// <inheritdoc/>
    public override Task<RollBackRulesetResponse> RollBack(RollBackRulesetRequest request, ServerCallContext context)
        => TracedAsync("ruleset.roll_back", context, () => RollBackAsync(request, context));

    private async Task<ApplyRulesetResponse> ApplyAsync(ApplyRulesetRequest request, ServerCallContext context)
    {
        var proposal = new RulesetProposal(Read(GenerationMessages.Read(request.Rules)), context.Caller().Name)
        {
            Comment = Comment(request.Comment),
            Expected = request.HasExpectedGeneration ? request.ExpectedGeneration : null,
            ConfirmWithin = ConfirmWithin(request.ConfirmWithin),
        };
        if (request.DryRun)
        {
            var current = cluster.Rules.Current;
            if (proposal.Expected is { } expected && expected != current.Generation.Number)
            {
                throw new RulesetRefusedException(
                    RulesetRefusal.Stale, $"the rules were to follow generation {expected}, but generation {current.Generation.Number} is in force");
            }
            context.Note("dry run", Describe(current));
            return new ApplyRulesetResponse { Generation = GenerationMessages.Of(current.Generation), Difference = Difference(current.Rules, proposal.Rules) };
        }
        var (after, difference) = await PutInForceAsync(proposal, context, "apply").ConfigureAwait(false);
        return new ApplyRulesetResponse { Generation = after, Difference = difference };
    }

    private async Task<ConfirmRulesetResponse> ConfirmAsync(ConfirmRulesetRequest request, ServerCallContext context)
    {
        context.Note($"confirm generation {request.Generation}", "waits to be confirmed");
        var confirmed = await cluster.Rules.ConfirmAsync(request.Generation).ConfigureAwait(false);
        context.Note($"confirm generation {request.Generation}", "waits to be confirmed", "stays");
        return new ConfirmRulesetResponse { Generation = GenerationMessages.Of(confirmed) };
    }

    /// <inheritdoc/>
    public override Task<GetRulesetResponse> Get(GetRulesetRequest request, ServerCallContext context)
    {
        var found = request.Generation == 0 ? cluster.Rules.Current : cluster.Rules.Read(request.Generation);
        return Task.FromResult(new GetRulesetResponse
        {
            Generation = GenerationMessages.Of(found.Generation),
            Rules = GenerationMessages.Of(found.Rules.Texts),
            Canonical = GenerationMessages.Of(found.Rules.Canonical),
        });
    }

    /// <inheritdoc/>
    public override Task<RulesetHistoryResponse> History(RulesetHistoryRequest request, ServerCallContext context)
    {
        var limit = request.Limit == 0 ? UsualHistory : (int)Math.Min(request.Limit, MostHistory);
        var response = new RulesetHistoryResponse();
        response.Generations.Add(cluster.Rules.History(limit, request.Before).Select(GenerationMessages.Of));
        return Task.FromResult(response);
    }

    private async Task<RollBackRulesetResponse> RollBackAsync(RollBackRulesetRequest request, ServerCallContext context)
    {
        var number = request.Generation;
        if (number == 0)
        {
            number = cluster.Rules.History(1, cluster.Rules.Current.Generation.Number) is [var last]
                ? last.Number
                : throw new RulesetRefusedException(RulesetRefusal.NotFound, "there is no generation before the one in force");
        }
        var old = cluster.Rules.Read(number);
        var (after, difference) = await PutInForceAsync(
            new RulesetProposal(old.Rules, context.Caller().Name)
            {
                Comment = Comment(request.Comment),
                Expected = request.HasExpectedGeneration ? request.ExpectedGeneration : null,
                Restores = number,
                ConfirmWithin = ConfirmWithin(request.ConfirmWithin),
            },
            context, $"roll back to generation {number}").ConfigureAwait(false);
        return new RollBackRulesetResponse { Generation = after, Difference = difference };
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchRulesetRequest request, IServerStreamWriter<RulesetEvent> responseStream, ServerCallContext context)
    {
        await foreach (var change in cluster.Rules.WatchAsync(context.CancellationToken).ConfigureAwait(false))
            await responseStream.WriteAsync(new RulesetEvent { Kind = GenerationMessages.Of(change.Kind), Generation = GenerationMessages.Of(change.Generation) }).ConfigureAwait(false);
    }

    private async Task<(Generation After, string Difference)> PutInForceAsync(RulesetProposal proposal, ServerCallContext context, string what)
    {
        if (proposal.Comment.Length > 0) what += $": {proposal.Comment}";
        context.Note(what, Describe(cluster.Rules.Current));
        var (before, after) = await cluster.Rules.ApplyAsync(proposal).ConfigureAwait(false);
        context.Note(what, Describe(before), Describe(after));
        Activity.Current.Note(after.Generation);
        return (GenerationMessages.Of(after.Generation), Difference(before.Rules, after.Rules));
    }

    private static async Task<T> TracedAsync<T>(string name, ServerCallContext context, Func<Task<T>> change)
    {
        using var trace = RulesetTraces.Call(name, context);
        try
        {
            return await change().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            trace.Fail(e);
            throw;
        }
    }

    private static string Describe(InForce rules) => $"generation {rules.Generation.Number} sha256 {rules.Generation.Digest}";

    private static CheckedRuleset Read(RulesetTexts texts)
    {
        using var step = RulesetTraces.Step("ruleset.check");
        var (rules, errors) = CheckedRuleset.Read(texts);
        if (rules is not null) return rules;
        // The status is a header, which has to stay small: Check tells all.
        var lines = errors.Take(MostErrorsInStatus).Select(e => e.ToString());
        if (errors.Count > MostErrorsInStatus) lines = lines.Append($"and {errors.Count - MostErrorsInStatus} more");
        throw new RulesetRefusedException(
            RulesetRefusal.Mistakes, $"{(errors.Count == 1 ? "there is 1 mistake" : $"there are {errors.Count} mistakes")} in the rules:\n{string.Join('\n', lines)}")
        {
            Errors = errors,
        };
    }

    private static string Comment(string comment)
        => comment.Length <= MostComment ? comment : throw new FilterException($"comment has {comment.Length} characters; at most {MostComment} are right");

    private static TimeSpan? ConfirmWithin(Duration? within) => within?.ToTimeSpan() switch
    {
        null => null,
        { TotalSeconds: >= 1 and <= 3600 } time => time,
        { } time => throw new FilterException(string.Create(CultureInfo.InvariantCulture, $"confirm_within is {time.TotalSeconds} s; 1 s to 3600 s are right")),
    };

    private static string Difference(CheckedRuleset before, CheckedRuleset after)
        => LineDifference.Between(CheckedRuleset.IPv4Name, before.Canonical.IPv4, after.Canonical.IPv4)
            + LineDifference.Between(CheckedRuleset.IPv6Name, before.Canonical.IPv6, after.Canonical.IPv6)
            + LineDifference.Between(CheckedRuleset.SetsName, before.Canonical.Sets, after.Canonical.Sets);

    private static RuleError ErrorOf(Rules.Text.RuleError error) => new()
    {
        Text = error.File,
        Line = (uint)error.Line,
        Column = (uint)error.Column,
        Length = (uint)error.Length,
        Message = error.Message,
        Hint = error.Hint ?? "",
        SourceLine = error.SourceLine,
    };
}
