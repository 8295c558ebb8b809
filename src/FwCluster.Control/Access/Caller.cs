namespace FwCluster.Control.Access;

/// <summary>Who calls.</summary>
/// <param name="Name">The name in the certificate or the token file, or a user of this machine: uid=0.</param>
/// <param name="Role">What they may do.</param>
/// <param name="Proof">How it is known: certificate, token or socket.</param>
/// <param name="From">Where the call comes from.</param>
/// <param name="Via">The node that the caller asked, and that asks on their behalf; null where they ask themselves.</param>
public sealed record Caller(string Name, Role Role, string Proof, string From, string? Via = null);
