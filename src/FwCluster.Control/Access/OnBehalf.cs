using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace FwCluster.Control.Access;

/// <summary>What a node says of the caller on whose behalf it asks another node: a header each, escaped as in a URI.</summary>
internal static class OnBehalf
{
    private const string NameHeader = "fwcluster-caller";
    private const string RoleHeader = "fwcluster-caller-role";
    private const string ProofHeader = "fwcluster-caller-proof";
    private const string FromHeader = "fwcluster-caller-from";

    /// <summary>Headers that say who calls.</summary>
    public static Metadata Headers(Caller caller) => new()
    {
        { NameHeader, Uri.EscapeDataString(caller.Name) },
        { RoleHeader, caller.Role.Name() },
        { ProofHeader, Uri.EscapeDataString(caller.Proof) },
        { FromHeader, Uri.EscapeDataString(caller.From) },
    };

    /// <summary>True where a request says that it is on somebody's behalf.</summary>
    public static bool IsSaid(IHeaderDictionary headers)
        => headers.ContainsKey(NameHeader) || headers.ContainsKey(RoleHeader) || headers.ContainsKey(ProofHeader) || headers.ContainsKey(FromHeader);

    /// <summary>On whose behalf a request is; null where it does not say so rightly.</summary>
    public static Caller? Read(IHeaderDictionary headers)
    {
        if (Text(headers, NameHeader) is not { } name || Text(headers, ProofHeader) is not { } proof || Text(headers, FromHeader) is not { } from) return null;
        var role = RoleExtensions.Parse(headers[RoleHeader].ToString());
        return role == Role.None ? null : new Caller(name, role, proof, from);
    }

    private static string? Text(IHeaderDictionary headers, string name)
        => headers[name].ToString() is { Length: > 0 } text ? Uri.UnescapeDataString(text) : null;
}
