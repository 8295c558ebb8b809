using System.Buffers.Binary;
using FwCluster.Packets;

namespace FwCluster.Conntrack.Helpers.Tftp;

/// <summary>
/// The <c>tftp</c> helper (RFC 1350): the server answers a read or write request from a port of its own, to the port that the
/// request came from. Decides what the kernel's nf_conntrack_tftp.c (<c>tftp_help</c>) decides; it remembers nothing.
/// </summary>
public sealed class TftpHelper : ConnectionHelper
{
    /// <summary>The name of this helper.</summary>
    public const string HelperName = "tftp";

    /// <summary>The port it attaches to by itself, unless told otherwise.</summary>
    public const ushort DefaultPort = 69;

    private const ushort ReadRequest = 1;
    private const ushort WriteRequest = 2;

    /// <inheritdoc/>
    public override string Name => HelperName;

    /// <inheritdoc/>
    public override byte Protocol => IpProtocol.Udp;

    /// <inheritdoc/>
    public override int MaxExpected => 1;

    /// <inheritdoc/>
    public override TimeSpan ExpectTimeout => TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public override bool MayExpect(in HelperCall call) => IsRequest(call.Payload);

    /// <summary>Reads the first two bytes of a packet of either direction and any state; the request is the connection's
    /// first.</summary>
    /// <inheritdoc/>
    public override bool Help(ref HelperCall call)
    {
        if (!IsRequest(call.Payload)) return true;

        ref readonly var request = ref call.Connection.Original;
        return call.Expectations.Expect(
            new Expectation
            {
                Tuple = new FlowTuple
                {
                    Source = request.Destination,
                    Destination = request.Source,
                    DestinationPort = request.SourcePort,
                    Protocol = IpProtocol.Udp,
                    Family = request.Family,
                },
                MatchSourceAddress = true,
                Zone = call.Connection.Zone,
                Master = call.ConnectionIndex,
            },
            this,
            call.Now);
    }

    private static bool IsRequest(ReadOnlySpan<byte> payload)
        => BinaryPrimitives.TryReadUInt16BigEndian(payload, out var operation) && operation is ReadRequest or WriteRequest;
}
