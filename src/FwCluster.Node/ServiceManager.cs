using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace FwCluster.Node;

/// <summary>Tells whoever started the daemon, where he wants to know (<c>NOTIFY_SOCKET</c>, sd_notify(3)), how far it is: READY=1 once
/// packets are decided, STOPPING=1 when it was asked to end.</summary>
internal static class ServiceManager
{
    /// <summary>Tells from now on. The host has started when all of its services have, the gateway's among them.</summary>
    public static void Tell(IHostApplicationLifetime lifetime)
    {
        var notifier = new SystemdNotifier();
        if (!notifier.IsEnabled) return;
        lifetime.ApplicationStarted.Register(() => notifier.Notify(ServiceState.Ready));
        lifetime.ApplicationStopping.Register(() => notifier.Notify(ServiceState.Stopping));
    }
}
