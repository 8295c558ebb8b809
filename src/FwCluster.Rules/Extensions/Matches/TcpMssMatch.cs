using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary><c>-m tcpmss</c>: the maximum segment size option (<c>tcpmss_mt</c> in xt_tcpmss.c).</summary>
/// <param name="sizes">The sizes.</param>
/// <param name="isInverted">True for <c>! --mss</c>; then a segment without the option matches.</param>
public sealed class TcpMssMatch(NumberRange sizes, bool isInverted) : Match
{
    private const byte Kind = 2;
    private const byte Length = 4;

    /// <inheritdoc/>
    public override string Name => "tcpmss";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
    {
        ref readonly var headers = ref packet.Headers;
        var bytes = packet.Packet[..Math.Min(packet.Packet.Length, headers.TotalLength)];
        bytes = bytes[Math.Min(bytes.Length, headers.TransportOffset)..];
        if (bytes.Length < TcpHeader.FixedLength || TcpHeader.Length(bytes) is var end && (end < TcpHeader.FixedLength || end > bytes.Length))
        {
            hotDrop = true;
            return false;
        }
        var size = Find(bytes[TcpHeader.FixedLength..end]);
        return size < 0 ? isInverted : sizes.Contains((uint)size) != isInverted;
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer) => sizes.Write(writer, "--mss", isInverted);

    /// <inheritdoc/>
    public override void List(ListingWriter writer) => writer.Words($"tcpmss match {(isInverted ? "!" : "")}{sizes}");

    /// <summary>The option's value, or -1. Unlike tracking's walk, a length of zero here is stepped over as one byte.</summary>
    private static int Find(ReadOnlySpan<byte> options)
    {
        for (var i = 0; i < options.Length;)
        {
            if (options[i] == Kind && options.Length - i >= Length && options[i + 1] == Length) return options[i + 2] << 8 | options[i + 3];
            if (options[i] < 2 || i == options.Length - 1) i++;
            else i += Math.Max((byte)1, options[i + 1]);
        }
        return -1;
    }
}
