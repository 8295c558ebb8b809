namespace FwCluster.EndToEnd.Tests.Networks;

/// <summary>Where the firewall stands.</summary>
public enum FirewallPlace
{
    /// <summary>On the server: its packets meet INPUT and OUTPUT.</summary>
    Host,

    /// <summary>Between client and server: their packets meet FORWARD.</summary>
    Gateway,
}
