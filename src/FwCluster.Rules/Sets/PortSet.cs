using FwCluster.Packets;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Rules.Sets;

/// <summary>bitmap:port: ports of TCP and UDP.</summary>
/// <param name="name">Its name.</param>
/// <param name="elements">Its ports.</param>
internal sealed class PortSet(string name, Dictionary<ushort, SetElement> elements) : IpSet(name, "bitmap:port", IpFamily.None, 1, false)
{
    /// <inheritdoc/>
    public override int Count => elements.Count;

    /// <inheritdoc/>
    protected override SetAnswer Test(ref PacketContext packet, in SetQuestion question)
        => packet.Headers.Protocol is IpProtocol.Tcp or IpProtocol.Udp
            && SetPort.TryRead(ref packet, question.IsSource(0), out var port)
            && elements.TryGetValue(port, out var element) && element.Lives(in question)
            ? SetAnswer.Match
            : SetAnswer.None;
}
