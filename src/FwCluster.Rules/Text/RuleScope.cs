using FwCluster.Packets;

namespace FwCluster.Rules.Text;

/// <summary>What an extension may ask of the rule it stands in.</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Table">raw, mangle or filter.</param>
/// <param name="Chain">The chain's name.</param>
/// <param name="Protocol">The protocol of <c>-p</c>; 0 for any.</param>
/// <param name="IsProtocolInverted">True for <c>! -p</c>.</param>
/// <param name="Settings">What the caller knows: sets, helpers.</param>
public sealed record RuleScope(
    IpFamily Family, string Table, string Chain, byte Protocol, bool IsProtocolInverted, ReaderSettings Settings);
