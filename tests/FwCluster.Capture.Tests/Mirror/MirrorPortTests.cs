using FwCluster.Capture.Mirror;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.Capture.Tests.Mirror;

/// <summary>The wait for a packet of a mirror.</summary>
public sealed class MirrorPortTests
{
    [KernelFact]
    public async Task WhoIsWokenHasNoPacketAndGoesOn()
    {
        using var lab = new NetworkLab();
        var (here, there) = (lab.AddNamespace("here"), lab.AddNamespace("there"));
        foreach (var place in (NetworkNamespace[])[here, there]) place.SetSysctl("net.ipv6.conf.default.disable_ipv6", "1"); // no packet by itself
        NetworkLab.AddVeth(here, "eth0", there, "eth0");
        foreach (var place in (NetworkNamespace[])[here, there]) place.Ip("link set eth0 up");
        here.Ip("address add 10.77.9.1/24 dev eth0");
        using var port = here.Run(() => MirrorPort.Open(["eth0"], 1 << 20));

        port.Wake(); // before the wait, or in it
        Assert.False(await WaitAsync(port));
        var waiting = WaitAsync(port);
        port.Wake();
        Assert.False(await waiting);

        here.TryExecute("ping", ["-c", "1", "-W", "1", "10.77.9.2"]); // asks who has the address
        Assert.True(await WaitAsync(port));
        port.Dispose();
        port.Wake();
    }

    private static Task<bool> WaitAsync(MirrorPort port) => Task.Run(() =>
    {
        if (!port.TryNext((int)TimeSpan.FromMinutes(2).TotalMilliseconds, out var packet)) return false;
        MirrorPort.Return(packet);
        return true;
    }).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
}
