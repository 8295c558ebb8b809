using FwCluster.Control.Nodes;
using Grpc.Core;

namespace FwCluster.Control.Services;

/// <summary>Finds the nodes that a request is about.</summary>
internal static class NodesByName
{
    /// <summary>The node of this name, or all where it is empty.</summary>
    /// <exception cref="RpcException">NOT_FOUND: there is no such node.</exception>
    public static IEnumerable<IControlledNode> Named(this IControlledCluster cluster, string name)
    {
        if (name.Length == 0) return cluster.Nodes;
        return cluster.Nodes.FirstOrDefault(node => node.Name == name) is { } found
            ? [found]
            : throw new RpcException(new Status(
                StatusCode.NotFound, $"there is no node '{name}'; there are {string.Join(", ", cluster.Nodes.Select(node => node.Name))}"));
    }
}
