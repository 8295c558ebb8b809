using FwCluster.Control.Nodes;
using FwCluster.Control.Rulesets;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace FwCluster.Control.Access;

/// <summary>
/// The one gate that every call goes through, by gRPC and by JSON: who calls, may they, is it not too much; then the call; then its audit line.
/// </summary>
internal sealed partial class AccessInterceptor(
    CallerIdentification identification, CallLimits limits, AuditLog audit, TimeProvider time, ILogger<AccessInterceptor> log) : Interceptor
{
    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        => RunAsync(context, isStream: false, () => continuation(request, context));

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        => RunAsync(context, isStream: true, () => Unit(continuation(request, responseStream, context)));

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
        => RunAsync(context, isStream: true, () => continuation(requestStream, context));

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        => RunAsync(context, isStream: true, () => Unit(continuation(requestStream, responseStream, context)));

    private static async Task<bool> Unit(Task task)
    {
        await task.ConfigureAwait(false);
        return true;
    }

    private async Task<T> RunAsync<T>(ServerCallContext context, bool isStream, Func<Task<T>> call)
    {
        var policy = MethodPolicy.Find(context.Method);
        Caller? caller = null;
        var outcome = new Status(StatusCode.OK, "");
        try
        {
            caller = Identify(context);
            Admit(context, caller, policy);
            using var stream = isStream && caller.Via is null ? limits.TryStream(caller.Name) ?? throw Refuse(StatusCode.ResourceExhausted, "too many streams at a time") : null;
            return await call().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            outcome = StatusOf(e, context);
            if (outcome.StatusCode == StatusCode.Internal) LogFault(log, e, context.Method);
            throw new RpcException(outcome);
        }
        finally
        {
            if (policy is { IsChange: true }) Audit(context, caller, outcome);
        }
    }

    private Caller Identify(ServerCallContext context)
    {
        var http = context.GetHttpContext();
        if (identification.Identify(http, out var why) is { } caller) return caller;
        // Who guesses is slowed down by the place they guess from.
        if (!limits.TryCall(http.Connection.RemoteIpAddress?.ToString() ?? "socket")) throw Refuse(StatusCode.ResourceExhausted, "too many calls a second");
        throw Refuse(StatusCode.Unauthenticated, why);
    }

    private void Admit(ServerCallContext context, Caller caller, MethodPolicy? policy)
    {
        if (policy is null) throw Refuse(StatusCode.PermissionDenied, $"{context.Method} has no role, so nobody may call it");
        if (caller.Via is not null && !policy.IsForNodes) throw Refuse(StatusCode.PermissionDenied, $"{context.Method} is not for nodes to ask each other");
        if (caller.Role < policy.Role)
        {
            throw Refuse(StatusCode.PermissionDenied,
                $"{context.Method} takes the role {policy.Role.Name()}, and {caller.Name} has the role {caller.Role.Name()}");
        }
        // What one node asks another, it was asked itself, within the limits.
        if (caller.Via is null && !limits.TryCall(caller.Name)) throw Refuse(StatusCode.ResourceExhausted, "too many calls a second");
        context.SetCaller(caller);
    }

    private static RpcException Refuse(StatusCode code, string message) => new(new Status(code, message));

    private static Status StatusOf(Exception exception, ServerCallContext context) => exception switch
    {
        RpcException e => e.Status,
        FilterException e => new Status(StatusCode.InvalidArgument, e.Message),
        NodeUnavailableException e => new Status(StatusCode.Unavailable, e.Message),
        RulesetRefusedException e => new Status(CodeOf(e.Reason), e.Message),
        OperationCanceledException when context.GetHttpContext().Items.ContainsKey(CallTimeout.IsOver) => new Status(StatusCode.DeadlineExceeded, "the call took too long"),
        OperationCanceledException => new Status(StatusCode.Cancelled, "the call was cancelled"),
        _ => new Status(StatusCode.Internal, "this is a fault in fwclusterd; its log says more"),
    };

    private static StatusCode CodeOf(RulesetRefusal reason) => reason switch
    {
        RulesetRefusal.Mistakes => StatusCode.InvalidArgument,
        RulesetRefusal.Stale => StatusCode.Aborted,
        RulesetRefusal.Unconfirmed or RulesetRefusal.NotWaiting => StatusCode.FailedPrecondition,
        RulesetRefusal.NotFound => StatusCode.NotFound,
        RulesetRefusal.Undecided => StatusCode.Unknown,
        _ => StatusCode.Unavailable,
    };

    private void Audit(ServerCallContext context, Caller? caller, Status outcome)
    {
        var (what, before, after) = context.AuditNote();
        audit.Write(new AuditLine(
            time.GetUtcNow(), caller?.Name ?? "unknown", (caller?.Role ?? Role.None).Name(), caller?.Proof ?? "none", caller?.From ?? context.Peer, caller?.Via, context.Method,
            outcome.StatusCode == StatusCode.OK ? "OK" : $"{outcome.StatusCode}: {outcome.Detail}", what, before, after));
    }

    [LoggerMessage(LogLevel.Error, "A fault in {Method}")]
    private static partial void LogFault(ILogger log, Exception exception, string method);
}
