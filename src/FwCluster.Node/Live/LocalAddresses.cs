using System.Collections.Immutable;
using System.Net.NetworkInformation;
using FwCluster.Datapath;
using FwCluster.Packets;

namespace FwCluster.Node.Live;

/// <summary>The addresses of this host's interfaces, as they come and go: the daemon starts before the network does.</summary>
internal sealed class LocalAddresses : IDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Reads them as they are now, and follows them.</summary>
    public LocalAddresses()
    {
        NetworkChange.NetworkAddressChanged += ReadAgain;
        ReadAgain(null, EventArgs.Empty);
    }

    /// <summary>The addresses.</summary>
    public HostAddresses Addresses { get; } = HostAddresses.None;

    /// <inheritdoc/>
    public void Dispose() => NetworkChange.NetworkAddressChanged -= ReadAgain;

    private void ReadAgain(object? sender, EventArgs change)
    {
        lock (_gate) Addresses.Replace(Read()); // one that was read earlier must not come later
    }

    private static ImmutableArray<HostAddress> Read() => [.. NetworkInterface.GetAllNetworkInterfaces()
        .SelectMany(i => i.GetIPProperties().UnicastAddresses)
        .Select(a =>
        {
            var (address, family) = IpAddress.From(a.Address);
            return new HostAddress(family, address, a.PrefixLength);
        })];
}
