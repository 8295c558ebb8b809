using FwCluster.Packets;

namespace FwCluster.Datapath.Reject;

/// <summary>Knows which of this host's addresses an answer comes from. Called on the packet's way: it must be quick.</summary>
public interface IAnswerRoutes
{
    /// <summary>The address of this host that its route to another one prefers; the unspecified address where there is no route.</summary>
    /// <param name="family">The family of the address.</param>
    /// <param name="destination">To whom.</param>
    IpAddress SourceTo(IpFamily family, IpAddress destination);
}
