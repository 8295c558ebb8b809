using System.Net;
using System.Net.Sockets;
using FwCluster.Capture.Netlink;
using FwCluster.Capture.Queue;
using FwCluster.Packets;
using FwCluster.Referee;
using FwCluster.Rules.Evaluation;

namespace FwCluster.Capture.Tests.Queue;

/// <summary>The inline port against the running kernel: what it says of packets, and what becomes of them.</summary>
public sealed class QueuePortTests
{
    private const int Queue = 3;

    private static readonly QueueSettings Settings = new() { Number = Queue };

    [KernelTheory]
    [InlineData("iptables", Gateway.Client4, Gateway.Server4)]
    [InlineData("ip6tables", Gateway.Client6, Gateway.Server6)]
    public void A_forwarded_packet_says_where_it_comes_from_and_goes_to(string iptables, string client, string server)
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"{iptables} -t mangle -A FORWARD -p udp -j MARK --set-mark 0x1234");
        gateway.Middle.Execute($"{iptables} -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, client, 1111);
        using var receiver = Gateway.Udp(gateway.Server, server, 2222);
        sender.SendTo("hello"u8, receiver.LocalEndPoint!);

        Assert.True(port.Receive(3000));
        Assert.True(port.TryNext(out var packet));
        Assert.Equal(client.Contains(':') ? IpFamily.IPv6 : IpFamily.IPv4, packet.Family);
        Assert.Equal(Hook.Forward, packet.Hook);
        Assert.Equal(InterfaceName.From("c0"), packet.In);
        Assert.Equal(InterfaceName.From("s0"), packet.Out);
        Assert.Equal(0x1234u, packet.Mark);
        Assert.True(packet.HasSourceMac);
        Assert.Equal(MacOf(gateway), packet.SourceMac);
        Assert.Equal(packet.Length, packet.Bytes.Length);
        Assert.Equal(DecodeResult.Ok, PacketDecoder.Decode(packet.Bytes, packet.Length, out var headers));
        Assert.Equal(1111, headers.SourcePort);
        Assert.Equal(2222, headers.DestinationPort);
        Assert.True(packet.Bytes.EndsWith("hello"u8));
        Assert.InRange(DateTime.UnixEpoch.AddTicks(packet.Time / 100), DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow);
        Assert.False(port.TryNext(out _));
        Assert.Equal(1, port.Undecided);

        port.Accept(packet.Id);
        Assert.False(port.Receive(0));
        Assert.True(Gateway.TryReceive(receiver));
        Assert.Equal(0, port.Undecided);
        Assert.Equal(1u, port.Statistics.Packets);
        Assert.Equal((ulong)packet.Length, port.Statistics.Bytes);
    }

    [KernelFact]
    public void Input_and_output_have_one_interface_each()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A INPUT -p udp -j NFQUEUE --queue-num {Queue}");
        gateway.Middle.Execute($"iptables -t mangle -A OUTPUT -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        using var client = Gateway.Udp(gateway.Client, Gateway.Client4, 1111);
        using var here = Gateway.Udp(gateway.Middle, Gateway.ClientSide4, 2222);

        client.SendTo("in"u8, here.LocalEndPoint!);
        Assert.True(port.Receive(3000));
        Assert.True(port.TryNext(out var packet));
        Assert.Equal((Hook.Input, "c0", ""), (packet.Hook, packet.In.ToString(), packet.Out.ToString()));
        port.Accept(packet.Id);

        here.SendTo("out"u8, client.LocalEndPoint!);
        Assert.True(port.Receive(3000));
        Assert.True(port.TryNext(out packet));
        Assert.Equal((Hook.Output, "", "c0"), (packet.Hook, packet.In.ToString(), packet.Out.ToString()));
        Assert.True(packet.IsChecksumUnfinished);
        port.Accept(packet.Id);
    }

    /// <summary>Every order in which verdicts can come, and packets held while later ones are decided: the kernel lets through exactly
    /// those that were accepted.</summary>
    [KernelFact]
    public void Each_packet_gets_its_own_verdict_in_whatever_order_verdicts_come()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings with { BatchSize = 7 });
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        using var receiver = Gateway.Udp(gateway.Server, Gateway.Server4, 2222);
        var random = new Random(5);
        var held = new List<(uint Id, byte Value)>();
        const int Count = 250;
        for (var round = 0; round < 4; round++)
        {
            var expected = new List<byte>();
            var received = 0;
            for (var value = 0; value < Count; value++) sender.SendTo([(byte)value], receiver.LocalEndPoint!);
            while (received < Count)
            {
                Assert.True(port.Receive(3000));
                while (port.TryNext(out var packet))
                {
                    received++;
                    var value = packet.Bytes[^1];
                    switch (random.Next(round == 0 ? 2 : 6))
                    {
                        case 0:
                            port.Drop(packet.Id);
                            break;
                        case <= 3:
                            port.Accept(packet.Id);
                            expected.Add(value);
                            break;
                        default:
                            held.Add((packet.Id, value));
                            break;
                    }
                    if (held.Count == 0 || random.Next(4) != 0) continue;
                    Decide(random.Next(held.Count));
                }
            }
            while (held.Count > 0) Decide(random.Next(held.Count));
            port.Send();
            Assert.Equal(0, port.Undecided);

            var arrived = new List<byte>();
            var buffer = new byte[16];
            while (arrived.Count < expected.Count)
            {
                receiver.Receive(buffer);
                arrived.Add(buffer[0]);
            }
            expected.Sort();
            arrived.Sort();
            Assert.Equal(expected, arrived);
            Assert.Equal(0, receiver.Available);

            void Decide(int index)
            {
                var (id, value) = held[index];
                held.RemoveAt(index);
                if (random.Next(2) == 0)
                {
                    port.Drop(id);
                }
                else
                {
                    port.Accept(id);
                    expected.Add(value);
                }
            }
        }
        Assert.Equal(0ul, port.Statistics.RefusedVerdicts);
        Assert.Equal(4ul * Count, port.Statistics.Accepted + port.Statistics.Dropped);
        Assert.True(port.TryReadKernelCounters(out var kernel));
        Assert.Equal(0, kernel.Waiting);
    }

    [KernelFact]
    public void A_new_mark_is_seen_by_later_rules()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        gateway.Middle.Execute("iptables -t mangle -A POSTROUTING -m mark ! --mark 0x77 -j DROP");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        using var receiver = Gateway.Udp(gateway.Server, Gateway.Server4, 2222);
        foreach (var value in "abc") sender.SendTo([(byte)value], receiver.LocalEndPoint!);
        for (var count = 0; count < 3;)
        {
            Assert.True(port.Receive(3000));
            while (port.TryNext(out var packet))
            {
                count++;
                port.Accept(packet.Id, packet.Bytes[^1] == 'b' ? null : 0x77u);
            }
        }
        port.Send();
        var buffer = new byte[16];
        receiver.Receive(buffer);
        Assert.Equal((byte)'a', buffer[0]);
        receiver.Receive(buffer);
        Assert.Equal((byte)'c', buffer[0]);
    }

    /// <summary>Of whole transfers, every packet changed: bulk TCP, segmented and with unfinished checksums, where this host sends, forwards and
    /// receives.</summary>
    [KernelTheory]
    [InlineData("OUTPUT", Gateway.ClientSide4)]
    [InlineData("INPUT", Gateway.ClientSide4)]
    [InlineData("FORWARD", Gateway.Server4)]
    [InlineData("OUTPUT", Gateway.ClientSide6)]
    [InlineData("INPUT", Gateway.ClientSide6)]
    [InlineData("FORWARD", Gateway.Server6)]
    public void A_transfer_with_changed_TOS_arrives_intact(string chain, string address)
    {
        const int Length = 3_000_000;
        using var gateway = new Gateway();
        var iptables = address.Contains(':') ? "ip6tables" : "iptables";
        gateway.Middle.Execute($"{iptables} -t mangle -A {chain} -p tcp -j NFQUEUE --queue-num {Queue}");
        // What is not changed does not pass.
        if (chain != "INPUT") gateway.Middle.Execute($"{iptables} -t mangle -A POSTROUTING -p tcp -m dscp ! --dscp 10 -j DROP");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        var stopping = false;
        var segmented = 0;
        var unfinished = 0;
        string? refused = null;
        var worker = new Thread(() =>
        {
            while (!Volatile.Read(ref stopping))
            {
                port.Receive(-1);
                while (port.TryNext(out var packet))
                {
                    if (packet.IsSegmented) segmented++;
                    if (packet.IsChecksumUnfinished) unfinished++;
                    if (packet.Family == IpFamily.IPv4)
                    {
                        packet.Bytes[1] = 10 << 2;
                    }
                    else
                    {
                        packet.Bytes[0] = 0x60 | 10 >> 2;
                        packet.Bytes[1] = (byte)(packet.Bytes[1] & 15 | (10 & 3) << 6);
                    }
                    if (!port.AcceptChanged(in packet))
                    {
                        refused ??= $"{packet.Length} bytes, {packet.Bytes.Length} of them here, {PacketDecoder.Decode(packet.Bytes, packet.Length, out _)}: "
                            + Convert.ToHexString(packet.Bytes[..Math.Min(64, packet.Bytes.Length)]);
                    }
                }
            }
        });
        worker.Start();
        try
        {
            var sent = new byte[Length];
            new Random(1).NextBytes(sent);
            using var listener = Gateway.Listen(chain == "FORWARD" ? gateway.Server : gateway.Middle, address, 4000);
            using var client = Gateway.Connect(gateway.Client, address, 4000);
            Assert.True(client is not null, refused);
            using var server = listener.Accept();
            server.ReceiveTimeout = server.SendTimeout = 5000;
            // Both ways, one after the other: for OUTPUT and for INPUT one of them is the bulk.
            Assert.Equal(sent, Transfer(client, server, sent));
            Assert.Equal(sent, Transfer(server, client, sent));
        }
        finally
        {
            Volatile.Write(ref stopping, true);
            port.Wake();
            worker.Join();
        }
        Assert.Null(refused);
        Assert.True(segmented > 10, $"{segmented} segmented packets");
        Assert.True(unfinished > 10, $"{unfinished} unfinished checksums");
        Assert.Equal(0ul, port.Statistics.RefusedVerdicts);
    }

    [KernelFact]
    public void Packets_that_the_port_cannot_take_are_counted_as_the_kernel_counts_them()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings with { ReceiveBufferBytes = 1 << 17, MaxLength = 100_000 });
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        var to = new IPEndPoint(IPAddress.Parse(Gateway.Server4), 2222);
        var taken = 0ul;
        for (var i = 0; i < 2000; i++) sender.SendTo("x"u8, to);
        Take();
        // A gap shows when the next packet comes.
        sender.SendTo("x"u8, to);
        Take();
        Assert.True(port.TryReadKernelCounters(out var kernel));
        Assert.True(kernel.UserDropped > 0);
        Assert.Equal((ulong)kernel.UserDropped, port.Statistics.Overruns);
        Assert.Equal(2001ul, taken + port.Statistics.Overruns);
        Assert.Equal(0, kernel.QueueDropped);

        void Take()
        {
            while (port.Receive(200))
            {
                while (port.TryNext(out var packet))
                {
                    taken++;
                    port.Drop(packet.Id);
                }
            }
        }
    }

    [KernelTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_full_queue_drops_or_lets_pass(bool failOpen)
    {
        using var gateway = new Gateway();
        Assert.True(gateway.Passes(Gateway.Server4));
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings with { MaxLength = 2, FailOpen = failOpen });
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        using var receiver = Gateway.Udp(gateway.Server, Gateway.Server4, 2222);
        receiver.ReceiveTimeout = 500;
        for (var i = 0; i < 5; i++) sender.SendTo("x"u8, receiver.LocalEndPoint!);
        var passed = 0;
        while (Gateway.TryReceive(receiver)) passed++;
        Assert.Equal(failOpen ? 3 : 0, passed);
        Assert.True(port.TryReadKernelCounters(out var kernel));
        Assert.Equal(new KernelQueueCounters(2, failOpen ? 0 : 3, 0), kernel);
    }

    [KernelFact]
    public void A_verdict_on_a_packet_whose_interface_went_down_is_refused_and_counted()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        sender.SendTo("x"u8, new IPEndPoint(IPAddress.Parse(Gateway.Server4), 2222));
        Assert.True(port.Receive(3000));
        Assert.True(port.TryNext(out var packet));
        gateway.Middle.Ip("link set s0 down");
        port.Accept(packet.Id);
        port.Receive(100);
        Assert.False(port.TryNext(out _));
        Assert.Equal(1ul, port.Statistics.RefusedVerdicts);
    }

    [KernelFact]
    public void A_wait_ends_in_time_or_when_somebody_wakes_the_port()
    {
        using var gateway = new Gateway();
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        Assert.False(port.Receive(0));
        Assert.False(port.Receive(30));
        using var soon = new Timer(_ => port.Wake(), null, 50, Timeout.Infinite);
        Assert.False(port.Receive(-1));
        // A wake that nobody waited for ends the next wait.
        port.Wake();
        Assert.False(port.Receive(-1));
        Assert.False(port.Receive(30));
    }

    [KernelFact]
    public void A_queue_has_one_owner_and_is_free_when_it_closes()
    {
        using var gateway = new Gateway();
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        var error = Assert.Throws<NetlinkException>(() => gateway.Open(Settings));
        Assert.Equal($"queue {Queue} belongs to another program; give this one another queue, or stop that one", error.Message);
        port.Dispose();
        var (again, names2) = gateway.Open(Settings);
        again.Dispose();
        names2.Dispose();
    }

    [KernelFact]
    public void Receiving_and_deciding_does_not_allocate()
    {
        using var gateway = new Gateway();
        gateway.Middle.Execute($"iptables -t mangle -A FORWARD -p udp -j NFQUEUE --queue-num {Queue}");
        var (port, names) = gateway.Open(Settings);
        using var closing = names;
        using var closing2 = port;
        using var sender = Gateway.Udp(gateway.Client, Gateway.Client4);
        var to = new IPEndPoint(IPAddress.Parse(Gateway.Server4), 2222).Serialize();
        Assert.True(Run(200) >= 0);
        Assert.Equal(0, Enumerable.Range(0, 4).Min(_ => Run(500))); // the runtime allocates for itself now and then

        long Run(int count)
        {
            for (var i = 0; i < count; i++) sender.SendTo("x"u8, SocketFlags.None, to);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var held = 0u;
            while (port.Receive(100))
            {
                while (port.TryNext(out var packet))
                {
                    if (--count == 100) held = packet.Id;
                    else if (count % 3 == 0) port.Drop(packet.Id);
                    else if (count % 7 == 0) port.AcceptChanged(in packet, 5);
                    else port.Accept(packet.Id, count % 2 == 0 ? 1u : null);
                }
            }
            port.Accept(held);
            port.Send();
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(0, count);
            return allocated;
        }
    }

    [Theory]
    [InlineData(-1, 100, 64)]
    [InlineData(65536, 100, 64)]
    [InlineData(1, 0, 64)]
    [InlineData(1, 100, 0)]
    [InlineData(1, 100, 257)]
    public void A_setting_out_of_its_range_is_refused_by_name(int number, int length, int batch)
    {
        var settings = new QueueSettings { Number = number, MaxLength = length, BatchSize = batch };
        var error = Assert.Throws<ArgumentOutOfRangeException>(settings.Check);
        Assert.Contains("it must be", error.Message, StringComparison.Ordinal);
    }

    private static ulong MacOf(Gateway gateway)
        => Convert.ToUInt64(gateway.Client.Execute("ip -br link show dev eth0").Split(' ', StringSplitOptions.RemoveEmptyEntries)[2]
            .Replace(":", "", StringComparison.Ordinal), 16);

    private static byte[] Transfer(Socket from, Socket to, byte[] bytes)
    {
        var sending = new Thread(() =>
        {
            for (var at = 0; at < bytes.Length;) at += from.Send(bytes.AsSpan(at, Math.Min(1 << 18, bytes.Length - at)));
        });
        sending.Start();
        var received = new byte[bytes.Length];
        for (var at = 0; at < received.Length;)
        {
            var count = to.Receive(received.AsSpan(at));
            if (count == 0) break;
            at += count;
        }
        sending.Join();
        return received;
    }
}
