using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FwCluster.Cli.Output;

/// <summary>What <c>--json</c> prints for a packet, one object a line. Absent: what does not apply.</summary>
/// <param name="Number">The packet's place in the capture, from 1.</param>
/// <param name="Time">Seconds since the Unix epoch, with nine decimals: a string, as no JSON number holds it exactly.</param>
/// <param name="Fate">notIp, badHeader, fragmentHeld, fragmentDropped, accepted, dropped, rejected or trackingDropped.</param>
/// <param name="State">NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED; absent for a packet that was not tracked.</param>
/// <param name="Verdict">ACCEPT, DROP or REJECT.</param>
/// <param name="Family">ipv4 or ipv6.</param>
/// <param name="Table">The table that decided.</param>
/// <param name="Chain">The chain that decided.</param>
/// <param name="Rule">The deciding rule's position from 1; 0 for the policy.</param>
/// <param name="Reason">Why the packet is INVALID, or was dropped by tracking.</param>
internal sealed record PacketDocument(
    long Number, string Time, string Fate, string? State, string? Verdict, string? Family, string? Table, string? Chain, int? Rule,
    string? Reason);

/// <summary>The chains with their counters.</summary>
/// <param name="Chains">Every chain of the tables asked for, IPv4 before IPv6.</param>
/// <param name="Capture">What was in the capture.</param>
internal sealed record ChainsDocument(IReadOnlyList<ChainDocument> Chains, CaptureDocument Capture);

/// <summary>A chain.</summary>
/// <param name="Family">ipv4 or ipv6.</param>
/// <param name="Table">Its table.</param>
/// <param name="Name">Its name.</param>
/// <param name="Policy">ACCEPT or DROP; absent for a user chain.</param>
/// <param name="Packets">Packets that met the policy; absent for a user chain.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Rules">Its rules.</param>
internal sealed record ChainDocument(
    string Family, string Table, string Name, string? Policy, ulong? Packets, ulong? Bytes, IReadOnlyList<RuleDocument> Rules);

/// <summary>A rule.</summary>
/// <param name="Position">Its position in the chain, from 1.</param>
/// <param name="Packets">Packets that it matched.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Rule">The rule as <c>iptables-save</c> prints it.</param>
internal sealed record RuleDocument(int Position, ulong Packets, ulong Bytes, string Rule);

/// <summary>What was in the capture.</summary>
/// <param name="Packets">Packets read.</param>
/// <param name="IPv4">IPv4 packets that met rules.</param>
/// <param name="IPv6">IPv6 packets that met rules.</param>
/// <param name="Fates">How many packets came to which end, by <see cref="PacketDocument.Fate"/>.</param>
/// <param name="Break">Where the capture breaks off; absent where it is whole.</param>
internal sealed record CaptureDocument(
    long Packets, [property: JsonPropertyName("ipv4")] ulong IPv4, [property: JsonPropertyName("ipv6")] ulong IPv6,
    IReadOnlyDictionary<string, ulong> Fates, BreakDocument? Break);

/// <summary>Where a capture breaks off.</summary>
/// <param name="Packet">The packet that could not be read.</param>
/// <param name="Offset">Bytes from the capture's start.</param>
/// <param name="Reason">What is wrong.</param>
internal sealed record BreakDocument(long Packet, long Offset, string Reason);

/// <summary>The connections that are left.</summary>
/// <param name="Connections">Oldest first.</param>
internal sealed record ConnectionsDocument(IReadOnlyList<ConnectionDocument> Connections);

/// <summary>A connection.</summary>
/// <param name="Family">ipv4 or ipv6.</param>
/// <param name="Protocol">The protocol's name, or <c>unknown</c>.</param>
/// <param name="ProtocolNumber">Its number.</param>
/// <param name="Timeout">Seconds it has left after the last packet.</param>
/// <param name="State">The state of the protocol's own, for TCP and SCTP.</param>
/// <param name="Original">The direction of the first packet.</param>
/// <param name="Reply">The other direction.</param>
/// <param name="SeenReply">A reply was seen.</param>
/// <param name="Assured">Not dropped early when the table is full.</param>
/// <param name="Expected">A helper had announced it.</param>
/// <param name="Mark">Its mark.</param>
/// <param name="Zone">Its zone.</param>
/// <param name="ZoneDirection">original or reply where the zone is of that direction only.</param>
/// <param name="Helper">The helper that reads it.</param>
/// <param name="Started">When its first packet was accepted, as <see cref="PacketDocument.Time"/>.</param>
internal sealed record ConnectionDocument(
    string Family, string Protocol, byte ProtocolNumber, long Timeout, string? State, FlowDocument Original, FlowDocument Reply,
    bool SeenReply, bool Assured, bool Expected, uint Mark, ushort Zone, string? ZoneDirection, string? Helper, string Started);

/// <summary>One direction of a connection. Ports, ICMP's fields or GRE's keys, as the protocol has them.</summary>
/// <param name="Source">Source address.</param>
/// <param name="Destination">Destination address.</param>
/// <param name="SourcePort">Source port.</param>
/// <param name="DestinationPort">Destination port.</param>
/// <param name="IcmpType">ICMP type.</param>
/// <param name="IcmpCode">ICMP code.</param>
/// <param name="IcmpId">ICMP identifier.</param>
/// <param name="SourceKey">GRE source key.</param>
/// <param name="DestinationKey">GRE destination key.</param>
/// <param name="Packets">Packets; absent in expectations.</param>
/// <param name="Bytes">Bytes of the IP packets; absent in expectations.</param>
internal sealed record FlowDocument(
    string Source, string Destination, ushort? SourcePort, ushort? DestinationPort, byte? IcmpType, byte? IcmpCode, ushort? IcmpId,
    ushort? SourceKey, ushort? DestinationKey, ulong? Packets, ulong? Bytes);

/// <summary>The expectations that are left.</summary>
/// <param name="Expectations">In the order in which they end.</param>
internal sealed record ExpectationsDocument(IReadOnlyList<ExpectationDocument> Expectations);

/// <summary>An expectation.</summary>
/// <param name="Family">ipv4 or ipv6.</param>
/// <param name="Protocol">The protocol's name.</param>
/// <param name="ProtocolNumber">Its number.</param>
/// <param name="Timeout">Seconds it has left after the last packet.</param>
/// <param name="Source">The source address; absent where any will do.</param>
/// <param name="SourcePort">The source port; absent where any will do.</param>
/// <param name="Destination">The destination address.</param>
/// <param name="DestinationPort">The destination port.</param>
/// <param name="Permanent">It stays after a connection has matched it.</param>
/// <param name="Helper">The helper that announced it.</param>
/// <param name="Master">The original direction of the connection that announced it.</param>
internal sealed record ExpectationDocument(
    string Family, string Protocol, byte ProtocolNumber, long Timeout, string? Source, ushort? SourcePort, string Destination,
    ushort DestinationPort, bool Permanent, string? Helper, FlowDocument Master);

/// <summary>What <c>fwctl rules check --json</c> prints.</summary>
/// <param name="Valid">True where there is no mistake.</param>
/// <param name="Errors">The mistakes.</param>
/// <param name="IPv4">The IPv4 rules in canonical form; absent where there are none, or mistakes.</param>
/// <param name="IPv6">The IPv6 rules in canonical form; absent where there are none, or mistakes.</param>
internal sealed record RulesDocument(
    bool Valid, IReadOnlyList<RuleErrorDocument> Errors, [property: JsonPropertyName("ipv4")] string? IPv4,
    [property: JsonPropertyName("ipv6")] string? IPv6);

/// <summary>A mistake in a rule file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1.</param>
/// <param name="Length">Characters that are meant.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Hint">What would be right.</param>
internal sealed record RuleErrorDocument(string File, int Line, int Column, int Length, string Message, string? Hint);

/// <summary>Writes the documents: names in camelCase, nothing for what is absent, one line each.</summary>
[JsonSerializable(typeof(PacketDocument))]
[JsonSerializable(typeof(ChainsDocument))]
[JsonSerializable(typeof(ConnectionsDocument))]
[JsonSerializable(typeof(ExpectationsDocument))]
[JsonSerializable(typeof(RulesDocument))]
internal sealed partial class DocumentContext : JsonSerializerContext
{
    /// <summary>The context to write with: text that is not for HTML, so that <c>&gt;</c> and quotes in rules stay readable.</summary>
    public static DocumentContext Output { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
