using FwCluster.Api.V1;

namespace FwCluster.Control.Access;

/// <summary>What a method takes. One that is not in the table is refused, to everybody.</summary>
/// <param name="Role">The least role.</param>
/// <param name="IsChange">True for a method that changes something: it leaves an audit line.</param>
public sealed record MethodPolicy(Role Role, bool IsChange)
{
    private static readonly MethodPolicy Look = new(Role.Viewer, false);
    private static readonly MethodPolicy Change = new(Role.Operator, true);
    private static readonly MethodPolicy Rule = new(Role.Admin, true);

    private static readonly Dictionary<string, MethodPolicy> Table = new(StringComparer.Ordinal)
    {
        [Of(RulesetService.Descriptor, "Check")] = Look,
        [Of(RulesetService.Descriptor, "Apply")] = Change,
        [Of(RulesetService.Descriptor, "Confirm")] = Change,
        [Of(RulesetService.Descriptor, "Get")] = Look,
        [Of(RulesetService.Descriptor, "History")] = Look,
        [Of(RulesetService.Descriptor, "RollBack")] = Change,
        [Of(RulesetService.Descriptor, "Watch")] = Look,
        [Of(ConntrackService.Descriptor, "List")] = Look,
        [Of(ConntrackService.Descriptor, "Count")] = Look,
        [Of(ConntrackService.Descriptor, "Delete")] = Change,
        [Of(ConntrackService.Descriptor, "Watch")] = Look,
        [Of(ConntrackService.Descriptor, "Statistics")] = Look,
        [Of(ConntrackService.Descriptor, "ListExpectations")] = Look,
        [Of(ConntrackService.Descriptor, "DeleteExpectations")] = Change,
        [Of(CountersService.Descriptor, "Read")] = Look,
        [Of(CountersService.Descriptor, "ReadAndZero")] = Change,
        [Of(CountersService.Descriptor, "Zero")] = Change,
        [Of(ClusterService.Descriptor, "Status")] = Look,
        [Of(ClusterService.Descriptor, "ListShards")] = Look,
        [Of(ClusterService.Descriptor, "Drain")] = Rule,
        [Of(ClusterService.Descriptor, "Watch")] = Look,
        [Of(HelperService.Descriptor, "List")] = Look,
        [Of(HelperService.Descriptor, "Load")] = Change,
        [Of(HelperService.Descriptor, "Unload")] = Change,
        [Of(CaptureService.Descriptor, "ListPorts")] = Look,
        [Of(SettingsService.Descriptor, "Get")] = Look,
        [Of(SettingsService.Descriptor, "Set")] = Rule,
        ["/grpc.health.v1.Health/Check"] = Look,
        ["/grpc.health.v1.Health/Watch"] = Look,
        ["/grpc.health.v1.Health/List"] = Look,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = Look,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = Look,
    };

    /// <summary>Every method that has a role, by its full name.</summary>
    public static IReadOnlyDictionary<string, MethodPolicy> All => Table;

    /// <summary>The policy of a method, or null: then nobody may call it.</summary>
    /// <param name="method">Its full name, <c>/fwcluster.v1.RulesetService/Apply</c>.</param>
    public static MethodPolicy? Find(string method) => Table.GetValueOrDefault(method);

    private static string Of(Google.Protobuf.Reflection.ServiceDescriptor service, string method)
        => $"/{service.FullName}/{service.FindMethodByName(method).Name}"; // a name that is none fails at the start, not at the call
}
