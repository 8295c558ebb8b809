namespace FwCluster.Node.Live;

/// <summary>The other nodes of the cluster have gone on without this one. It has to be started again to join anew.</summary>
internal sealed class NodeLostException()
    : Exception("the other nodes took this one for dead, or could not be reached for so long that they go on without it; started again it joins anew");
