namespace FwCluster.Cluster.Nodes;

/// <summary>What a node tells the others of itself when it greets them. Immutable: who reads it has all of one greeting.</summary>
/// <param name="Name">Its name, as control clients know it; empty where it has none.</param>
/// <param name="Control">Where its control plane can be asked; empty where it cannot.</param>
/// <param name="KeepsDirectory">It keeps a directory of expectations.</param>
/// <param name="IsDraining">It shall get no shards.</param>
internal sealed record NodeWord(string Name, string Control, bool KeepsDirectory, bool IsDraining);
