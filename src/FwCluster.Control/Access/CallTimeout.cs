using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace FwCluster.Control.Access;

/// <summary>Ends a call that takes too long, whatever its client allows. Streams last as long as their clients.</summary>
internal sealed class CallTimeout(TimeSpan limit)
{
    /// <summary>Is among the request's items when its time is over.</summary>
    public static readonly object IsOver = new();

    /// <summary>Runs a request.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.Type is not MethodType.Unary)
        {
            await next(context).ConfigureAwait(false);
            return;
        }
        using var timer = new CancellationTokenSource(limit);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, timer.Token);
        using var note = timer.Token.Register(() => context.Items[IsOver] = true); // what is registered last is called first
        context.RequestAborted = stop.Token;
        await next(context).ConfigureAwait(false);
    }
}
