using System.Net.NetworkInformation;
using FwCluster.Datapath;
using FwCluster.Packets;

namespace FwCluster.Node.Live;

/// <summary>The addresses of this host's interfaces.</summary>
internal static class LocalAddresses
{
    /// <summary>Reads them as they are now.</summary>
    public static HostAddresses Read() => new([.. NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(i => i.GetIPProperties().UnicastAddresses)
        .Select(a =>
        {
            var (address, family) = IpAddress.From(a.Address);
            return new HostAddress(family, address, a.PrefixLength);
        })]);
}
