using Grpc.Core;

namespace FwCluster.Control.Access;

/// <summary>What a service and the interceptor tell each other about a call.</summary>
internal static class CallNotes
{
    private const string CallerKey = "fwcluster.caller";
    private const string AuditKey = "fwcluster.audit";

    /// <summary>Who calls.</summary>
    public static Caller Caller(this ServerCallContext context) => (Caller)context.UserState[CallerKey];

    /// <summary>Notes who calls.</summary>
    public static void SetCaller(this ServerCallContext context, Caller caller) => context.UserState[CallerKey] = caller;

    /// <summary>Says for the audit what is changed, from what to what.</summary>
    public static void Note(this ServerCallContext context, string what, string? before = null, string? after = null)
        => context.UserState[AuditKey] = (what, before, after);

    /// <summary>What was said for the audit.</summary>
    public static (string? What, string? Before, string? After) AuditNote(this ServerCallContext context)
        => context.UserState.TryGetValue(AuditKey, out var note) ? ((string, string?, string?))note : default;
}
