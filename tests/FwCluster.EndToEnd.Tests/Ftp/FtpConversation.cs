using System.Net.Sockets;
using System.Text;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Ftp;

/// <summary>A control connection whose both ends say what the test wants.</summary>
internal class FtpConversation : IDisposable
{
    private readonly IpFamily _family;
    private readonly Socket _client;
    private readonly Socket _server;

    /// <summary>Logs in; the firewall has to let that through.</summary>
    public FtpConversation(NetworkNamespace client, string clientAddress, NetworkNamespace server, string serverAddress)
    {
        (ClientAddress, ServerAddress) = (clientAddress, serverAddress);
        _family = serverAddress.Contains(':') ? IpFamily.IPv6 : IpFamily.IPv4;
        using var listener = Endpoints.Listen(server, serverAddress, 21);
        _client = Endpoints.Connect(client, clientAddress, listener.LocalEndPoint!, Endpoints.Patience)
            ?? throw new InvalidOperationException("the control connection does not pass");
        _server = listener.Accept();
        ServerSays("220 ready");
        ClientSays("USER student");
        ServerSays("230 logged in");
    }

    /// <summary>The address that clients connect to.</summary>
    public string ServerAddress { get; }

    /// <summary>The client's address.</summary>
    public string ClientAddress { get; }

    /// <summary>A line from the client to the server; returns when it is there.</summary>
    public void ClientSays(string line) => Say(_client, _server, line);

    /// <summary>A line from the server to the client; returns when it is there.</summary>
    public void ServerSays(string line) => Say(_server, _client, line);

    /// <summary>The server announces an address for the client to connect to: 227 on IPv4, 229 on IPv6 (which has no address in it).</summary>
    public void AnnouncePassive(string address, int port)
    {
        ClientSays(_family == IpFamily.IPv4 ? "PASV" : "EPSV");
        ServerSays(_family == IpFamily.IPv4
            ? $"227 Entering Passive Mode ({Commas(address, port)})."
            : $"229 Entering Extended Passive Mode (|||{port}|)");
    }

    /// <summary>The client announces an address for the server to connect to: PORT on IPv4, EPRT on IPv6.</summary>
    public void AnnounceActive(string address, int port)
    {
        ClientSays(_family == IpFamily.IPv4 ? $"PORT {Commas(address, port)}" : $"EPRT |2|{address}|{port}|");
        ServerSays("200 thank you");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private static string Commas(string address, int port) => $"{address.Replace('.', ',')},{port >> 8},{port & 255}";

    private static void Say(Socket from, Socket to, string line)
    {
        var bytes = Encoding.ASCII.GetBytes(line + "\r\n");
        from.Send(bytes);
        var received = new byte[bytes.Length];
        to.ReceiveTimeout = (int)Endpoints.Patience.TotalMilliseconds;
        for (var length = 0; length < bytes.Length;)
        {
            var more = to.Receive(received, length, bytes.Length - length, SocketFlags.None);
            if (more == 0) throw new InvalidOperationException("the control connection ended");
            length += more;
        }
        Assert.Equal(bytes, received);
    }
}
