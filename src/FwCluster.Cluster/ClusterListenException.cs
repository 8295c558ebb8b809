namespace FwCluster.Cluster;

/// <summary>A node cannot listen where the others would reach it: another process does, or the address is not this machine's, yet.</summary>
/// <param name="message">Where, and why not.</param>
/// <param name="inner">What was found.</param>
public sealed class ClusterListenException(string message, Exception inner) : Exception(message, inner);
