using FwCluster.Api.V1;

namespace FwCluster.Control.Access;

/// <summary>What a method takes. One that is not in the table is refused, to everybody.</summary>
/// <param name="Role">The least role.</param>
/// <param name="IsChange">True for a method that changes something: it leaves an audit line.</param>
/// <param name="IsForNodes">True for a method that nodes ask each other, on behalf of a caller who has the role.</param>
public sealed record MethodPolicy(Role Role, bool IsChange, bool IsForNodes)
{
    private static readonly MethodPolicy Look = new(Role.Viewer, false, true);
    private static readonly MethodPolicy Change = new(Role.Operator, true, true);
    private static readonly MethodPolicy Rule = new(Role.Admin, true, true);
    private static readonly MethodPolicy LookHere = Look with { IsForNodes = false };
    private static readonly MethodPolicy ChangeHere = Change with { IsForNodes = false };

    private static readonly Dictionary<string, MethodPolicy> Table = new(StringComparer.Ordinal)
    {
        [Of(RulesetService.Descriptor, "Check")] = LookHere,
        [Of(RulesetService.Descriptor, "Apply")] = ChangeHere,
        [Of(RulesetService.Descriptor, "Confirm")] = ChangeHere,
        [Of(RulesetService.Descriptor, "Get")] = LookHere,
        [Of(RulesetService.Descriptor, "History")] = LookHere,
        [Of(RulesetService.Descriptor, "RollBack")] = ChangeHere,
        [Of(RulesetService.Descriptor, "Watch")] = LookHere,
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
        [Of(ClusterService.Descriptor, "Watch")] = LookHere,
        [Of(HelperService.Descriptor, "List")] = Look,
        [Of(HelperService.Descriptor, "Load")] = Change,
        [Of(HelperService.Descriptor, "Unload")] = Change,
        [Of(CaptureService.Descriptor, "ListPorts")] = Look,
        [Of(SettingsService.Descriptor, "Get")] = Look,
        [Of(SettingsService.Descriptor, "Set")] = Rule,
        ["/grpc.health.v1.Health/Check"] = LookHere,
        ["/grpc.health.v1.Health/Watch"] = LookHere,
        ["/grpc.health.v1.Health/List"] = LookHere,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = LookHere,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = LookHere,
    };

    /// <summary>Every method that has a role, by its full name.</summary>
    public static IReadOnlyDictionary<string, MethodPolicy> All => Table;

    /// <summary>The policy of a method, or null: then nobody may call it.</summary>
    /// <param name="method">Its full name, <c>/fwcluster.v1.RulesetService/Apply</c>.</param>
    public static MethodPolicy? Find(string method) => Table.GetValueOrDefault(method);

    private static string Of(Google.Protobuf.Reflection.ServiceDescriptor service, string method)
        => $"/{service.FullName}/{service.FindMethodByName(method).Name}"; // a name that is none fails at the start, not at the call
}
