using FwCluster.Conntrack.Helpers.Ftp;
using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>A control connection that one packet ends.</summary>
public sealed class FtpResetTests
{
    private static readonly PacketAddresses ToClient = PacketAddresses.Parse("10.211.55.20", "10.211.55.10");

    /// <summary>
    /// A reset that carries a line ends a connection that was picked up and is not assured. What follows begins another one, whose first line is not read:
    /// the kernel, given these four packets, expects nothing (found by the comparison with it).
    /// </summary>
    [Fact]
    public void What_a_resets_line_taught_the_helper_is_forgotten()
    {
        var harness = new Harness(null, new FtpHelper { Ports = [21] });
        Assert.Equal(ConntrackState.New, harness.Send(FromClient(1, 1)));
        Assert.Equal(ConntrackState.Established, harness.Send(FromServer(TcpFlags.Rst, 1, 1, "220 ready\r\n"u8)));
        Assert.Equal(ConntrackState.New, harness.Send(FromClient(1, 12)));
        Assert.Equal(ConntrackState.Established, harness.Send(FromServer(TcpFlags.None, 12, 7, "227 Entering Passive Mode (10,211,55,20,214,220)\r\n"u8)));
        Assert.Empty(harness.Table.Expectations(harness.Now));
    }

    private static byte[] FromClient(uint sequence, uint acknowledgment)
        => PacketBuilder.Tcp(Harness.ToServer, Harness.ClientPort, 21, TcpFlags.Ack, sequence, acknowledgment);

    private static byte[] FromServer(TcpFlags more, uint sequence, uint acknowledgment, ReadOnlySpan<byte> line)
        => PacketBuilder.Tcp(ToClient, 21, Harness.ClientPort, TcpFlags.Ack | TcpFlags.Psh | more, sequence, acknowledgment, payload: line);
}
