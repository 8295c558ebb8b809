using System.Diagnostics;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Tests;

/// <summary>The referee itself: that it sees what it should see, misses nothing, and is fast enough to be asked by the million.</summary>
public sealed class KernelRefereeTests(ITestOutputHelper output)
{
    private static readonly PacketAddresses Four = PacketAddresses.Parse("10.1.0.1", "10.2.0.1");
    private static readonly PacketAddresses Six = PacketAddresses.Parse("2001:db8:1::1", "2001:db8:2::1");

    public static TheoryData<bool> Families => [false, true];

    [KernelTheory]
    [MemberData(nameof(Families))]
    public void Tells_every_state(bool ipv6)
    {
        var there = ipv6 ? Six : Four;
        using var referee = new KernelReferee(new RefereeOptions { RawRules = ["-A PREROUTING -p udp --dport 9 -j CT --notrack"] });
        Assert.Equal(TrackedState.New, referee.Send(PacketBuilder.Tcp(there, 1000, 80, TcpFlags.Syn, 1)));
        Assert.Equal(TrackedState.Established,
            referee.Send(PacketBuilder.Tcp(there.Reversed, 80, 1000, TcpFlags.Syn | TcpFlags.Ack, 100, 2)));
        Assert.Equal(TrackedState.Established, referee.Send(PacketBuilder.Tcp(there, 1000, 80, TcpFlags.Ack, 2, 101)));
        Assert.Equal(TrackedState.Invalid, referee.Send(PacketBuilder.Tcp(there, 1, 2, TcpFlags.Syn | TcpFlags.Fin)));
        Assert.Equal(TrackedState.Untracked, referee.Send(PacketBuilder.Udp(there, 1, 9)));

        var datagram = PacketBuilder.Udp(there, 5, 6, "hello"u8);
        Assert.Equal(TrackedState.New, referee.Send(datagram));
        var (type, code) = ipv6 ? (1, 4) : (3, 3);
        Assert.Equal(TrackedState.Related, referee.Send(PacketBuilder.IcmpError(there.Reversed, (byte)type, (byte)code, datagram)));
        Assert.Equal(TrackedState.New, referee.Send(PacketBuilder.Echo(there, 7, 1)));
        Assert.Equal(TrackedState.Established, referee.Send(PacketBuilder.Echo(there.Reversed, 7, 1, reply: true)));

        var connections = referee.Connections();
        Assert.Equal(3, connections.Count);
        var tcp = Assert.Single(connections, connection => connection.TcpState == 3);
        Assert.True(tcp.Assured);
        Assert.Equal(2ul, tcp.OriginalCounters.Packets);
        Assert.Contains("[ASSURED]", referee.ListConnections("-f", ipv6 ? "ipv6" : "ipv4"), StringComparison.Ordinal);
        referee.Flush();
        Assert.Empty(referee.Connections());
    }

    [KernelTheory]
    [MemberData(nameof(Families))]
    public void Tells_held_fragments_from_the_one_that_completes(bool ipv6)
    {
        using var referee = new KernelReferee { KeepForwarded = true };
        var there = ipv6 ? Six : Four;
        var fragments = PacketBuilder.Fragment(PacketBuilder.Udp(there, 5, 6, new byte[100]), 77, 48, 32);
        Assert.Equal(3, fragments.Length);
        Assert.Equal(TrackedState.None, referee.Send(fragments[2]));
        Assert.Equal(TrackedState.None, referee.Send(fragments[0]));
        Assert.Equal(TrackedState.New, referee.Send(fragments[1]));
        Assert.NotEmpty(referee.Forwarded);
        Assert.Equal(TrackedState.Established, referee.Send(PacketBuilder.Udp(there.Reversed, 6, 5)));
    }

    [KernelTheory]
    [MemberData(nameof(Families))]
    public void Shows_what_the_ftp_helper_expects(bool ipv6)
    {
        using var referee = new KernelReferee();
        var there = ipv6 ? Six : Four;
        referee.Send(PacketBuilder.Tcp(there, 1000, 21, TcpFlags.Syn, 1));
        referee.Send(PacketBuilder.Tcp(there.Reversed, 21, 1000, TcpFlags.Syn | TcpFlags.Ack, 100, 2));
        referee.Send(PacketBuilder.Tcp(there, 1000, 21, TcpFlags.Ack, 2, 101));
        var answer = ipv6 ? "229 Entering Extended Passive Mode (|||5000|)\r\n"u8 : "227 Entering Passive Mode (10,2,0,1,19,136)\r\n"u8;
        // The helper reads only lines that begin where an earlier one ended: the banner goes first.
        var banner = "220 ready\r\n"u8;
        referee.Send(PacketBuilder.Tcp(there.Reversed, 21, 1000, TcpFlags.Ack | TcpFlags.Psh, 101, 2, payload: banner));
        referee.Send(PacketBuilder.Tcp(there.Reversed, 21, 1000, TcpFlags.Ack | TcpFlags.Psh, 101 + (uint)banner.Length, 2, payload: answer));
        var expectation = Assert.Single(referee.Expectations());
        Assert.Equal(5000, expectation.Tuple.DestinationPort);
        Assert.Equal("ftp", expectation.Helper);
        Assert.Equal(TrackedState.Related, referee.Send(PacketBuilder.Tcp(there, 3333, 5000, TcpFlags.Syn)));
        Assert.Empty(referee.Expectations());
        Assert.NotNull(Assert.Single(referee.Connections(), connection => connection.Original.SourcePort == 3333).Master);
    }

    [KernelFact]
    public void Runs_rules_and_reads_their_counters()
    {
        using var referee = new KernelReferee(new RefereeOptions
        {
            Rules4 = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i rin -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n",
            Rules6 = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n",
            InsidePrefixes = ["10.1.0.0/16"],
        });
        Assert.Equal(TrackedState.Forwarded, referee.Send(PacketBuilder.Tcp(Four, 1000, 80, TcpFlags.Syn)));
        Assert.Equal(TrackedState.None, referee.Send(PacketBuilder.Tcp(Four, 1000, 81, TcpFlags.Syn)));
        Assert.Equal(TrackedState.None, referee.SendFromOutside(PacketBuilder.Tcp(Four.Reversed, 80, 1000, TcpFlags.Syn)));
        Assert.Equal(TrackedState.Forwarded, referee.Send(PacketBuilder.Tcp(Six, 1000, 81, TcpFlags.Syn)));
        Assert.Contains(":FORWARD DROP [2:80]", referee.SaveRules(), StringComparison.Ordinal);
        Assert.Contains("[1:40] -A FORWARD -i rin -p tcp -m tcp --dport 80 -j ACCEPT", referee.SaveRules(), StringComparison.Ordinal);
        referee.ZeroCounters();
        Assert.Contains(":FORWARD DROP [0:0]", referee.SaveRules(), StringComparison.Ordinal);
    }

    [KernelFact]
    public void Answers_fast()
    {
        using var referee = new KernelReferee();
        var packets = Enumerable.Range(0, 256)
            .Select(i => PacketBuilder.Udp(Four, (ushort)(1000 + i), 53, new byte[20])).ToArray();
        const int count = 50_000;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++) Assert.Equal(TrackedState.New, referee.Send(packets[i & 255]));
        output.WriteLine($"{count / watch.Elapsed.TotalSeconds:N0} packets/s forwarded");
        packets[0][10] ^= 1;
        watch.Restart();
        for (var i = 0; i < count; i++) Assert.Equal(TrackedState.None, referee.Send(packets[0]));
        output.WriteLine($"{count / watch.Elapsed.TotalSeconds:N0} packets/s swallowed");
        watch.Restart();
        for (var i = 0; i < 20; i++) referee.Connections();
        output.WriteLine($"{watch.Elapsed.TotalMilliseconds / 20:N2} ms a dump");
        watch.Restart();
        for (var i = 0; i < 20; i++)
        {
            referee.Send(packets[1]);
            referee.Flush();
        }
        output.WriteLine($"{watch.Elapsed.TotalMilliseconds / 20:N2} ms a flush");
    }

    [KernelFact]
    public void Cleans_up()
    {
        string name;
        BackgroundProcess sleeper;
        using (var lab = new NetworkLab())
        {
            var made = lab.AddNamespace("c");
            name = made.Name;
            Assert.Contains(name, Command.Run("ip", ["netns"]), StringComparison.Ordinal);
            sleeper = made.Start("sleep", ["1000"]);
            Assert.False(sleeper.HasExited);
            Assert.Equal("3", made.Execute("cat", [], "3"));
            made.SetSysctl("net.ipv4.ip_forward", "1");
            Assert.Equal("1", made.GetSysctl("net.ipv4.ip_forward"));
        }
        Assert.DoesNotContain(name, Command.Run("ip", ["netns"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists($"/proc/{sleeper.Id}"));
    }
}
