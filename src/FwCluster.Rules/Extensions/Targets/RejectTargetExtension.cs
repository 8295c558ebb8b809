using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>The language of <c>-j REJECT</c> (libipt_REJECT.c, libip6t_REJECT.c).</summary>
public sealed class RejectTargetExtension : TargetExtension
{
    // In the order in which iptables tries them: a beginning is enough.
    private static readonly (string Name, RejectType Type)[] IPv4Names =
    [
        .. Both(RejectType.IcmpNetUnreachable, "net-unreach"), .. Both(RejectType.IcmpHostUnreachable, "host-unreach"),
        .. Both(RejectType.IcmpProtoUnreachable, "proto-unreach"), .. Both(RejectType.IcmpPortUnreachable, "port-unreach"),
        .. Both(RejectType.IcmpNetProhibited, "net-prohib"), .. Both(RejectType.IcmpHostProhibited, "host-prohib"),
        .. Both(RejectType.TcpReset, "tcp-rst"), .. Both(RejectType.IcmpAdminProhibited, "admin-prohib"),
    ];

    private static readonly (string Name, RejectType Type)[] IPv6Names =
    [
        .. Both(RejectType.Icmp6NoRoute, "no-route"), .. Both(RejectType.Icmp6AdmProhibited, "adm-prohibited"),
        .. Both(RejectType.Icmp6AddrUnreachable, "addr-unreach"), .. Both(RejectType.Icmp6PortUnreachable, "port-unreach"),
        .. Both(RejectType.TcpReset, "tcp-reset"), .. Both(RejectType.Icmp6PolicyFail, "policy-fail"),
        .. Both(RejectType.Icmp6RejectRoute, "reject-route"),
    ];

    /// <inheritdoc/>
    public override string Name => "REJECT";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new()
    {
        Tables = ["filter"],
        Hooks = [Hook.Input, Hook.Forward, Hook.Output],
    };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("reject-with")];

    /// <inheritdoc/>
    public override Target Build(ExtensionOptions options)
    {
        var isIPv4 = options.Rule.Family == IpFamily.IPv4;
        if (options.Find("reject-with") is not { } use)
            return new RejectTarget(isIPv4 ? RejectType.IcmpPortUnreachable : RejectType.Icmp6PortUnreachable);
        var names = isIPv4 ? IPv4Names : IPv6Names;
        var index = options.Beginning(use.Word, "a way to reject", [.. names.Select(n => n.Name)]);
        var type = index < 0 ? default : names[index].Type;
        if (type == RejectType.TcpReset && (options.Rule.Protocol != IpProtocol.Tcp || options.Rule.IsProtocolInverted))
            options.Error(use.Word, "REJECT: a TCP reset can answer TCP only", "write -p tcp in this rule");
        return new RejectTarget(type);
    }

    private static (string, RejectType)[] Both(RejectType type, string alias) => [(type.Name(), type), (alias, type)];
}
