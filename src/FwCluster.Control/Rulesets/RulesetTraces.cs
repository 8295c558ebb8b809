using System.Diagnostics;
using Grpc.Core;

namespace FwCluster.Control.Rulesets;

/// <summary>
/// Traces of a change of rules: what was asked for, the check of the texts, and on each node to make ready and to switch. Somebody listens, or this
/// costs nothing.
/// <code>
/// ruleset.apply            generation, author
///   ruleset.check
///   ruleset.prepare        node; one for each
///   ruleset.commit         node; one for each
/// </code>
/// </summary>
public static class RulesetTraces
{
    /// <summary>The name that a listener knows them by.</summary>
    public const string SourceName = "FwCluster.Ruleset";

    private const string TraceParent = "traceparent"; // W3C Trace Context
    private const string TraceState = "tracestate";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins the trace of a call, as part of the caller's, where the caller has one (W3C Trace Context).</summary>
    /// <param name="name">What is asked for.</param>
    /// <param name="call">The call.</param>
    /// <returns>Null where nobody listens.</returns>
    public static Activity? Call(string name, ServerCallContext call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (!Source.HasListeners()) return null;
        ActivityContext.TryParse(call.RequestHeaders.GetValue(TraceParent), call.RequestHeaders.GetValue(TraceState), isRemote: true, out var caller);
        Activity.Current = null; // the web server's own, which nobody is told of
        return Source.StartActivity(name, ActivityKind.Server, caller);
    }

    /// <summary>Begins a step.</summary>
    /// <param name="name">Which.</param>
    /// <returns>Null where nobody listens.</returns>
    public static Activity? Step(string name) => Source.StartActivity(name);

    /// <summary>Notes the generation that came of it.</summary>
    public static void Note(this Activity? activity, RulesetGeneration generation)
    {
        ArgumentNullException.ThrowIfNull(generation);
        activity?.SetTag("fwcluster.ruleset.generation", (long)generation.Number);
        activity?.SetTag("fwcluster.ruleset.author", generation.Author);
    }

    /// <summary>Notes that it failed.</summary>
    public static void Fail(this Activity? activity, Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
        activity?.AddException(exception);
    }
}
