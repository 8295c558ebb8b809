using FwCluster.Api.V1;
using FwCluster.Control.Access;
using FwCluster.Control.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Finds the nodes that a request is about, and asks them.</summary>
internal static class NodeAnswers
{
    /// <summary>The node of this name, or all where it is empty. Of who asks as a node, this node alone.</summary>
    /// <exception cref="RpcException">NOT_FOUND: there is no such node. FAILED_PRECONDITION: a node takes this one for another.</exception>
    public static IReadOnlyList<IControlledNode> Named(this IControlledCluster cluster, string name, ServerCallContext context)
    {
        var caller = context.Caller();
        if (caller.Via is not null)
        {
            return name.Length == 0 || name == cluster.Own.Name
                ? [cluster.Own]
                : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"this is the node {cluster.Own.Name}, and not {name}"));
        }
        var nodes = cluster.NodesFor(caller);
        if (name.Length == 0) return nodes;
        return nodes.FirstOrDefault(node => node.Name == name) is { } found
            ? [found]
            : throw new RpcException(new Status(StatusCode.NotFound, $"there is no node '{name}'; there are {string.Join(", ", nodes.Select(node => node.Name))}"));
    }

    /// <summary>Asks nodes side by side. Which could not be asked is noted; where only one was meant, that is the answer.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="question">What they are asked.</param>
    /// <param name="failures">Where it is noted.</param>
    /// <returns>The answers of the others, in their order.</returns>
    /// <exception cref="NodeUnavailableException">No node could be asked.</exception>
    public static async Task<IReadOnlyList<(IControlledNode Node, T Answer)>> AskAsync<T>(
        this IReadOnlyList<IControlledNode> nodes, Func<IControlledNode, Task<T>> question, RepeatedField<NodeFailure> failures)
    {
        var asked = nodes.Select(async node =>
        {
            try
            {
                return (Node: node, Answer: await question(node).ConfigureAwait(false), Failed: (NodeUnavailableException?)null);
            }
            catch (NodeUnavailableException e)
            {
                return (Node: node, Answer: default!, Failed: e);
            }
        });
        var answers = await Task.WhenAll(asked).ConfigureAwait(false);
        if (answers.All(a => a.Failed is not null)) throw answers[0].Failed!;
        failures.Add(answers.Where(a => a.Failed is not null).Select(a => Failure(a.Failed!)));
        return [.. answers.Where(a => a.Failed is null).Select(a => (a.Node, a.Answer))];
    }

    /// <summary>A node that could not be asked, as the API says it.</summary>
    public static NodeFailure Failure(NodeUnavailableException e) => new() { Node = e.Node, Reason = e.Reason };
}
