namespace FwCluster.Node.Configuration;

/// <summary>What the daemon says to Kubernetes.</summary>
/// <param name="ConfigMap">The ConfigMap that the rule files come from.</param>
/// <param name="Account">The folder with the service account's token, authority and namespace.</param>
/// <param name="Server">The API server.</param>
public sealed record KubernetesSettings(string ConfigMap, string Account, Uri Server);
