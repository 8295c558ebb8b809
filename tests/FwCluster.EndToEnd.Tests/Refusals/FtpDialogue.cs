using System.Net.Sockets;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;

namespace FwCluster.EndToEnd.Tests.Refusals;

/// <summary>A conversation in a test's network, and data connections that the test tries.</summary>
/// <param name="network">The network.</param>
/// <param name="family">What to speak.</param>
internal sealed class FtpDialogue(TestNetwork network, IpFamily family)
    : FtpConversation(network.Client, TestNetwork.ClientAddress(family), network.Server, network.ServerAddress(family))
{
    /// <summary>A listener of the server's, on an address of its.</summary>
    public Socket ServerListens(int index = 0) => Endpoints.Listen(network.Server, network.ServerAddress(family, index));

    /// <summary>A listener of the client's, on its address or on the third party's.</summary>
    public Socket ClientListens(bool thirdAddress = false)
        => Endpoints.Listen(network.Client, thirdAddress ? TestNetwork.ThirdAddress(family) : ClientAddress);

    /// <summary>The client connects to the server; null when that does not get through.</summary>
    public Socket? ClientConnects(Socket listener, TimeSpan patience)
        => Endpoints.Connect(network.Client, ClientAddress, listener.LocalEndPoint!, patience);

    /// <summary>The server connects to the client; null when that does not get through.</summary>
    public Socket? ServerConnects(Socket listener, TimeSpan patience)
        => Endpoints.Connect(network.Server, ServerAddress, listener.LocalEndPoint!, patience);
}
