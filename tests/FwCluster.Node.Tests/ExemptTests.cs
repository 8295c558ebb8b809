using System.Net;
using System.Net.Sockets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Node.Tests;

/// <summary>What is never cut off by default: the cluster's ports, the control plane's, and established SSH.</summary>
[Collection(DaemonTests.Name)]
public sealed class ExemptTests
{
    private const int Ssh = 22;
    private const int Links = 4052;
    private const int Cluster = 4053;
    private const int Control = 4054;
    private const int Other = 4055;
    private static readonly IPAddress Host = IPAddress.Parse("10.77.1.1");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(1);

    [KernelFact]
    public void NeitherRulesNorAKilledDaemonCutItOff()
    {
        using var lab = new GatewayLab();
        var listeners = new[] { Ssh, Links, Cluster, Control, Other }.Select(port => Listen(lab.Gateway, Host, port)).ToList();
        using var elsewhere = Listen(lab.Right, GatewayLab.RightIPv4, Cluster);
        using var linksElsewhere = Listen(lab.Right, GatewayLab.RightIPv4, Links);
        try
        {
            using var session = lab.Left.Run(() => new TcpClient());
            session.Connect(Host, Ssh);
            using var accepted = listeners[0].Accept();

            using var daemon = new Daemon(lab.Gateway, """
                *filter
                :INPUT DROP [0:0]
                :FORWARD DROP [0:0]
                :OUTPUT DROP [0:0]
                COMMIT

                """);
            AssertReached(lab, session.Client, accepted);
            // Of the same port in a network behind: that is others' traffic.
            Assert.False(lab.CanConnect(GatewayLab.RightIPv4, Cluster, Watched));
            Assert.False(lab.CanConnect(GatewayLab.RightIPv4, Links, Watched));
            // This host's own way to the cluster's other nodes.
            foreach (var port in (int[])[Cluster, Links])
            {
                using var node = lab.Gateway.Run(() => new TcpClient());
                Assert.True(node.ConnectAsync(GatewayLab.RightIPv4, port).Wait(Patience));
            }

            daemon.Kill();
            AssertReached(lab, session.Client, accepted);
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }

    private static void AssertReached(GatewayLab lab, Socket client, Socket server)
    {
        Assert.True(lab.CanConnect(Host, Links, Patience));
        Assert.True(lab.CanConnect(Host, Cluster, Patience));
        Assert.True(lab.CanConnect(Host, Control, Patience));
        Assert.False(lab.CanConnect(Host, Other, Watched));
        Assert.False(lab.CanConnect(Host, Ssh, Watched));
        server.ReceiveTimeout = client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        client.Send("?"u8);
        Assert.Equal(1, server.Receive(new byte[1]));
        server.Send("!"u8);
        Assert.Equal(1, client.Receive(new byte[1]));
    }

    private static Socket Listen(NetworkNamespace where, IPAddress address, int port)
    {
        var socket = where.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }
}
