using Akka.Actor;

namespace FwCluster.Cluster.Calls;

/// <summary>A node that is a member of the cluster, as another one sees it.</summary>
/// <param name="Uid">The number that its start drew: the same address after a restart has another one.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Roles">What it does.</param>
/// <param name="IsReachable">It answers.</param>
public sealed record ClusterMember(int Uid, Address Address, IReadOnlyCollection<string> Roles, bool IsReachable);
