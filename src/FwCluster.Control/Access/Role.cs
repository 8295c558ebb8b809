namespace FwCluster.Control.Access;

/// <summary>What somebody may do; each role may what those before it may.</summary>
public enum Role
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Look.</summary>
    Viewer,

    /// <summary>Change rules, connections, counters and helpers.</summary>
    Operator,

    /// <summary>Change settings and the cluster.</summary>
    Admin,
}

/// <summary>Names of <see cref="Role"/>.</summary>
public static class RoleExtensions
{
    /// <summary>The role's name in certificates and token files.</summary>
    public static string Name(this Role role) => role switch
    {
        Role.Viewer => "viewer",
        Role.Operator => "operator",
        Role.Admin => "admin",
        _ => "none",
    };

    /// <summary>The role of this name; <see cref="Role.None"/> where there is none.</summary>
    public static Role Parse(string name) => name switch
    {
        "viewer" => Role.Viewer,
        "operator" => Role.Operator,
        "admin" => Role.Admin,
        _ => Role.None,
    };
}
