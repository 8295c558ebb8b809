using FwCluster.Control;

namespace FwCluster.Node.Configuration;

/// <summary>The control plane's settings.</summary>
/// <param name="Folder">Where rulesets are kept.</param>
/// <param name="Name">The node's name.</param>
/// <param name="History">Generations that are kept, at least 2.</param>
/// <param name="Wait">How long a node of a cluster that starts waits for the others.</param>
/// <param name="Server">Where it listens, and who gets in.</param>
public sealed record ControlPlaneSettings(string Folder, string Name, int History, TimeSpan Wait, ControlSettings Server);
