using FwCluster.EndToEnd.Tests.Firewalls;
using FwCluster.EndToEnd.Tests.Ftp;
using FwCluster.EndToEnd.Tests.Networks;
using FwCluster.Packets;
using FwCluster.Referee;
using static FwCluster.EndToEnd.Tests.Refusals.Attempts;

namespace FwCluster.EndToEnd.Tests.Refusals;

/// <summary>What was announced does not pass any more when its expectation has been used, or has ended; before, it does.</summary>
public class ExpectationEndTests
{
    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void SecondConnectionToAUsedExpectation(FirewallKind kind, FirewallPlace place) => InBothFamilies(kind, place, (network, family) =>
    {
        using var dialogue = new FtpDialogue(network, family);
        using var server = dialogue.ServerListens();
        dialogue.AnnouncePassive(dialogue.ServerAddress, server.Port());
        using (var first = dialogue.ClientConnects(server, Endpoints.Patience))
        {
            Assert.NotNull(first);
            Refused(dialogue.ClientConnects(server, Endpoints.Refusal));
        }

        using var client = dialogue.ClientListens();
        dialogue.AnnounceActive(dialogue.ClientAddress, client.Port());
        using (var first = dialogue.ServerConnects(client, Endpoints.Patience))
        {
            Assert.NotNull(first);
            Refused(dialogue.ServerConnects(client, Endpoints.Refusal));
        }
    });

    /// <summary>An expectation goes when its master does, here because the master was idle for too long.</summary>
    [KernelTheory]
    [MemberData(nameof(FirewallCases.All), MemberType = typeof(FirewallCases))]
    public void ExpectationWhoseMasterTimedOut(FirewallKind kind, FirewallPlace place)
    {
        var setup = FtpRules.Strict(place) with
        {
            Sysctls = new Dictionary<string, int>
            {
                ["nf_conntrack_tcp_timeout_established"] = 1,
                // What an end has not acknowledged yet has a timeout of its own.
                ["nf_conntrack_tcp_timeout_unacknowledged"] = 1,
            },
        };
        using var network = new TestNetwork(place);
        using var firewall = kind.Start(network.Firewall, setup);
        Parallel.ForEach(IpFamilies.Both, family =>
        {
            using var dialogue = new FtpDialogue(network, family);
            using var server = dialogue.ServerListens();
            dialogue.AnnouncePassive(dialogue.ServerAddress, server.Port());
            Passed(dialogue.ClientConnects(server, Endpoints.Patience));
            dialogue.AnnouncePassive(dialogue.ServerAddress, server.Port());
            Thread.Sleep(TimeSpan.FromSeconds(3));
            // The kernel drops what is past its time when somebody looks at it.
            firewall.ListConnections();
            Refused(dialogue.ClientConnects(server, Endpoints.Refusal));
        });
    }

    /// <summary>An expectation goes when its own time is over, while its master lives. The kernel's time is no setting: <see cref="ExpectationPastFiveMinutes"/>.</summary>
    [KernelTheory]
    [InlineData(FirewallPlace.Host)]
    [InlineData(FirewallPlace.Gateway)]
    public void ExpectationPastItsTimeout(FirewallPlace place)
    {
        const int seconds = 3;
        var setup = FtpRules.Strict(place) with { DaemonSettings = [$"tracking.expect-timeout={seconds}"] };
        using var network = new TestNetwork(place);
        using var firewall = FirewallKind.FwCluster.Start(network.Firewall, setup);
        Parallel.ForEach(IpFamilies.Both, family =>
        {
            // A control connection has one expectation at a time, so each way has its own.
            using var passive = new FtpDialogue(network, family);
            using var active = new FtpDialogue(network, family);
            using var server = passive.ServerListens();
            using var client = active.ClientListens();
            void Announce()
            {
                passive.AnnouncePassive(passive.ServerAddress, server.Port());
                active.AnnounceActive(active.ClientAddress, client.Port());
            }
            Announce();
            Passed(passive.ClientConnects(server, Endpoints.Patience));
            Passed(active.ServerConnects(client, Endpoints.Patience));
            Announce();
            Thread.Sleep(TimeSpan.FromSeconds(seconds));
            Refused(passive.ClientConnects(server, Endpoints.Refusal));
            Refused(active.ServerConnects(client, Endpoints.Refusal));
            // The masters are as they were: what they announce again passes.
            Announce();
            Passed(passive.ClientConnects(server, Endpoints.Patience));
            Passed(active.ServerConnects(client, Endpoints.Patience));
        });
    }

    /// <summary>
    /// The five minutes that an announced connection has. All firewalls wait at the same time. The kernel's timer for so long a time may be
    /// late by as much as 131 s (the sixth level of its wheel, at 250 Hz), FwCluster's is not.
    /// </summary>
    [KernelFact(Explicit = true)]
    public void ExpectationPastFiveMinutes()
    {
        Parallel.ForEach(Enum.GetValues<FirewallKind>(), kind =>
        {
            using var network = new TestNetwork(FirewallPlace.Gateway);
            using var firewall = kind.Start(network.Firewall, FtpRules.Strict(FirewallPlace.Gateway));
            using var late = new FtpDialogue(network, IpFamily.IPv4);
            using var tooLate = new FtpDialogue(network, IpFamily.IPv6);
            using var lateListener = late.ServerListens();
            using var tooLateListener = tooLate.ServerListens();
            tooLate.AnnouncePassive(tooLate.ServerAddress, tooLateListener.Port());
            late.AnnouncePassive(late.ServerAddress, lateListener.Port());
            Thread.Sleep(TimeSpan.FromSeconds(285));
            Passed(late.ClientConnects(lateListener, Endpoints.Patience));
            Thread.Sleep(TimeSpan.FromSeconds(kind == FirewallKind.Kernel ? 160 : 20));
            Refused(tooLate.ClientConnects(tooLateListener, Endpoints.Refusal));
        });
    }
}
