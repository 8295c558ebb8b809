using System.Net;
using System.Net.Sockets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>What programs, the log and Wireshark see of rejected packets, where the daemon decides.</summary>
public class RejectTests
{
    private const int TcpReset = 81;
    private const int UdpError = 82;
    private const int TcpError = 83;
    private const int ResetOnData = 84;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [KernelTheory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task RejectedPackets_AreAnswered_LoggedAndWritten(AddressFamily family)
    {
        using var network = new LiveGateway(Rules("icmp-port-unreachable", "-m ttl --ttl-eq 63"), Rules("icmp6-port-unreachable", "-m hl --hl-eq 63"));
        var server = LiveGateway.ServerAddress(family);
        var gateway = LiveGateway.GatewayAddress(family);

        // Through the gateway, to it, and from it.
        foreach (var (from, to) in ((NetworkNamespace, IPAddress)[])[(network.Client, server), (network.Client, gateway), (network.Gateway, server)])
        {
            Assert.Equal(SocketError.ConnectionRefused, await ConnectTcpAsync(from, to, TcpReset));
            Assert.Equal(SocketError.ConnectionRefused, await SendUdpAsync(from, to, UdpError));
            Assert.Equal(SocketError.ConnectionRefused, await ConnectTcpAsync(from, to, TcpError));
        }
        await ResetsEstablishedConnectionAsync(network, server);

        var answers = network.Ask("/statistics");
        Assert.Contains("answers sent=10 failed=0 limited=0\n", answers);
        // No answer came back to the queue.
        if (family == AddressFamily.InterNetwork)
            Assert.Contains("Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)", network.Ask("/rules?family=ipv4"));

        Assert.Equal(0, network.Stop());
        var addresses = $"SRC={Logged(LiveGateway.ClientAddress(family))} DST={Logged(server)} ";
        Assert.Matches($"(?m)^.*warn: packets\\[1\\] TCP81 IN=left OUT=right MAC=([0-9a-f]{{2}}:){{13}}[0-9a-f]{{2}} {addresses}.* PROTO=TCP SPT=\\d+ DPT=81 .*SYN", network.Log);
        Assert.Matches($"(?m)^.*info: packets\\[2\\] NFLOG group=5 prefix=UDP82 IN=left OUT=right .*{addresses}.* PROTO=UDP SPT=\\d+ DPT=82", network.Log);
        Assert.DoesNotContain("FWCLUSTER", network.Gateway.Execute("iptables-save"));

        var files = Directory.GetFiles(Path.Combine(network.Folder, "drops"));
        var comments = Command.Run("tshark", ["-r", Assert.Single(files), "-T", "fields", "-e", "frame.comment", "-e", "tcp.dstport", "-e", "udp.dstport"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("REJECT chain=FORWARD rule=3 with=tcp-reset state=NEW\t81\t", comments);
        Assert.Contains($"REJECT chain=INPUT rule=2 with={PortUnreachable(family)} state=NEW\t\t82", comments);
        Assert.Contains($"REJECT chain=OUTPUT rule=3 with={PortUnreachable(family)} state=NEW\t83\t", comments);
        Assert.Contains("REJECT chain=FORWARD rule=6 with=tcp-reset state=ESTABLISHED\t84\t", comments);
    }

    private static string Rules(string portUnreachable, string countedDown)
    {
        string Rejects(string chain) => $"""
            -A {chain} -p tcp -m tcp --dport {TcpReset} -j REJECT --reject-with tcp-reset
            -A {chain} -p udp -m udp --dport {UdpError} -j REJECT --reject-with {portUnreachable}
            -A {chain} -p tcp -m tcp --dport {TcpError} -j REJECT --reject-with {portUnreachable}

            """;
        return $"""
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD ACCEPT [0:0]
            :OUTPUT ACCEPT [0:0]
            -A FORWARD -p tcp -m tcp --dport {TcpReset} -j LOG --log-prefix "TCP81 " --log-level 4
            -A FORWARD -p udp -m udp --dport {UdpError} {countedDown} -j NFLOG --nflog-group 5 --nflog-prefix UDP82
            {Rejects("FORWARD")}{Rejects("INPUT")}{Rejects("OUTPUT")}-A FORWARD -p tcp -m tcp --dport {ResetOnData} --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset
            COMMIT

            """;
    }

    private static string PortUnreachable(AddressFamily family)
        => family == AddressFamily.InterNetwork ? "icmp-port-unreachable" : "icmp6-port-unreachable";

    /// <summary>As the kernel logs it: IPv6 with all digits.</summary>
    private static string Logged(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.ToString()
        : string.Join(':', Convert.ToHexStringLower(address.GetAddressBytes()).Chunk(4).Select(word => new string(word)));

    private static async Task ResetsEstablishedConnectionAsync(LiveGateway network, IPAddress server)
    {
        using var listener = network.Server.Run(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(server, ResetOnData));
        listener.Listen();
        using var client = network.Client.Run(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(server, ResetOnData).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Contains("ESTABLISHED", network.Ask("/connections"));
        await client.SendAsync(new byte[1]);
        var failure = await Assert.ThrowsAsync<SocketException>(
            () => client.ReceiveAsync(new byte[1]).WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
        // Not by the reset itself, which nobody decides about, but as nf_conntrack_tcp_set_closing does.
        var connection = Assert.Single(network.Ask("/connections").Split('\n'), line => line.Contains("dport=84 ", StringComparison.Ordinal));
        Assert.Contains(" CLOSE ", connection);
    }

    private static async Task<SocketError> ConnectTcpAsync(NetworkNamespace from, IPAddress to, int port)
    {
        using var socket = from.Run(() => new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            await socket.ConnectAsync(to, port).WaitAsync(Patience, TestContext.Current.CancellationToken);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
        catch (TimeoutException)
        {
            return SocketError.TimedOut;
        }
    }

    private static async Task<SocketError> SendUdpAsync(NetworkNamespace from, IPAddress to, int port)
    {
        using var socket = from.Run(() => new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        try
        {
            await socket.ConnectAsync(to, port);
            await socket.SendAsync("?"u8.ToArray());
            await socket.ReceiveAsync(new byte[1]).WaitAsync(Patience, TestContext.Current.CancellationToken);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
        catch (TimeoutException)
        {
            return SocketError.TimedOut;
        }
    }
}
