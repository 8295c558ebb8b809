using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using static FwCluster.EndToEnd.Tests.Refusals.Attempts;

namespace FwCluster.EndToEnd.Tests.Refusals;

/// <summary>
/// What must not pass does not, where rules accept logins and what they announced. Each test first shows that nearly the same thing
/// does pass, so that nothing else is what stops it.
/// </summary>
public class RefusalTests
{
    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void DataConnectionThatNobodyAnnounced(FirewallKind kind, FirewallPlace place) => InBothFamilies(kind, place, (network, family) =>
    {
        using var dialogue = new FtpDialogue(network, family);
        using var announced = dialogue.ServerListens();
        using var other = dialogue.ServerListens();
        dialogue.AnnouncePassive(dialogue.ServerAddress, announced.Port());
        Refused(dialogue.ClientConnects(other, Endpoints.Refusal));
        Passed(dialogue.ClientConnects(announced, Endpoints.Patience));

        using var announcedByClient = dialogue.ClientListens();
        using var otherOfClient = dialogue.ClientListens();
        dialogue.AnnounceActive(dialogue.ClientAddress, announcedByClient.Port());
        Refused(dialogue.ServerConnects(otherOfClient, Endpoints.Refusal));
        Passed(dialogue.ServerConnects(announcedByClient, Endpoints.Patience));
    });

    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void AddressOfAThirdParty(FirewallKind kind, FirewallPlace place) => InBothFamilies(kind, place, (network, family) =>
    {
        using var dialogue = new FtpDialogue(network, family);
        using var third = dialogue.ClientListens(thirdAddress: true);
        dialogue.AnnounceActive(TestNetwork.ThirdAddress(family), third.Port());
        Refused(dialogue.ServerConnects(third, Endpoints.Refusal));
        using var own = dialogue.ClientListens();
        dialogue.AnnounceActive(dialogue.ClientAddress, own.Port());
        Passed(dialogue.ServerConnects(own, Endpoints.Patience));

        // 229 has no address in it, so only 227 can name somebody else.
        if (family == IpFamily.IPv6) return;
        using var otherServer = dialogue.ServerListens(index: 1);
        dialogue.AnnouncePassive(network.ServerAddress(family, 1), otherServer.Port());
        Refused(dialogue.ClientConnects(otherServer, Endpoints.Refusal));
    });
}
