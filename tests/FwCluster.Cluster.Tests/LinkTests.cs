using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Wire;
using FwCluster.Referee.Lab;
using Google.Protobuf;

namespace FwCluster.Cluster.Tests;

/// <summary>Links between two processes' ends, without actors around them.</summary>
public sealed class LinkTests
{
    private const int Here = 1;
    private const int There = 2;
    private static readonly TimeSpan LongTime = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsSaidComesInItsOrder(bool isEncrypted)
    {
        using var certificates = isEncrypted ? new NodeCertificates() : null;
        using var here = new LinkEnd(Here, certificates);
        using var there = new LinkEnd(There, certificates);
        here.Meet(there);
        there.Meet(here);
        // Each is withdrawn but for the last: one that came out of its order would stay, or be missing.
        const int Rounds = 5000;
        for (var i = 1; i <= Rounds; i++)
        {
            here.Announce(number: 7, port: i, ticket: (ulong)i);
            if (i < Rounds) here.Withdraw(number: 7, canWait: i % 2 == 0);
        }
        await TestNode.Until(() => there.Knows(7, Rounds), "the last one did not come");
        Assert.Equal(1, there.Node.Directory.Count);
        Assert.Equal(0, there.Node.Statistics.Broken);
        Assert.Equal(0, here.Node.Statistics.Unsent);
    }

    [Fact]
    public async Task ABrokenLinkIsMadeAgain()
    {
        using var here = new LinkEnd(Here);
        using var there = new LinkEnd(There);
        var link = here.Meet(there);
        there.Meet(here);
        for (var i = 1; i <= 5; i++)
        {
            here.Announce(7, i);
            await TestNode.Until(() => there.Knows(7, i), $"what was said over link {i} did not come");
            there.Node.Links.Close(Here);
            await TestNode.Until(() => !link.IsUp, "the link does not notice that it is broken");
        }
    }

    [Fact]
    public async Task WhoTakesNothingIsNotWaitedFor()
    {
        using var here = new LinkEnd(Here);
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen();
        var link = here.Meet(There, ((IPEndPoint)deaf.LocalEndPoint!).Port);
        using var taken = await deaf.AcceptAsync(TestContext.Current.CancellationToken);
        await TestNode.Until(() => link.IsUp, "there is no link");
        var message = new byte[60_000];
        var said = 0;
        while (here.Node.Statistics.Unsent == 0 && said < 10_000)
        {
            link.Write(LinkStream.RepliesFieldNumber, message);
            said++;
        }
        Assert.Equal(1, here.Node.Statistics.Unsent);
        // What was there before is not lost: it comes when the other one takes it again, whole.
        var bytes = 0L;
        var buffer = new byte[1 << 20];
        var all = (long)(said - 1) * message.Length;
        while (bytes < all)
        {
            var read = await taken.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            Assert.True(read > 0);
            bytes += read;
        }
    }

    /// <summary>A link may come before the greeting of the node that it is from.</summary>
    [Fact]
    public async Task WhoHasNotGreetedYetIsAwaited()
    {
        using var here = new LinkEnd(Here);
        using var there = new LinkEnd(There);
        var wait = await AwaitAsync(here, There);
        here.Meet(There + 1, there.Node.Links.Port);
        here.Meet(there);
        Assert.Same(here.Node.Map[2], await wait.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task WhoListensNoMoreAwaitsNobody()
    {
        var here = new LinkEnd(Here);
        var wait = await AwaitAsync(here, There);
        here.Dispose();
        Assert.Null(await wait.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task StrangersAreNotListenedTo()
    {
        using var there = new LinkEnd(There);
        byte[][] nonsense =
        [
            "GET / HTTP/1.1\r\nHost: there\r\n\r\n"u8.ToArray(),
            [0x12, 0xff, 0xff, 0xff, 0x7f],
            RandomNumberGenerator.GetBytes(4096),
            Beginning(from: Here, to: There + 1), // it means another process
            [.. Enumerable.Repeat((byte)0xff, 100)],
        ];
        foreach (var bytes in nonsense)
        {
            using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await stranger.ConnectAsync(IPAddress.Loopback, there.Node.Links.Port, TestContext.Current.CancellationToken);
            await stranger.SendAsync(bytes, TestContext.Current.CancellationToken);
            try
            {
                var read = await stranger.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
                Assert.Equal(0, read);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                // With something unread.
            }
        }
        using var here = new LinkEnd(Here);
        here.Meet(there);
        there.Meet(here);
        here.Announce(7, 1);
        await TestNode.Until(() => there.Knows(7, 1), "after strangers nobody is listened to");
    }

    [Fact]
    public async Task WhoseCertificateIsAnotherAuthoritysIsNotListenedTo()
    {
        using var ours = new NodeCertificates();
        using var theirs = new NodeCertificates();
        using var here = new LinkEnd(Here, theirs);
        using var there = new LinkEnd(There, ours);
        here.Meet(there);
        there.Meet(here);
        here.Announce(7, 1);
        await TestNode.Until(() => here.Node.Statistics.Distrusted > 0 && there.Node.Statistics.Distrusted > 0, "they believe each other");
        Assert.False(there.Knows(7, 1));
    }

    /// <summary>Has a thread wait for a node, and returns when it does.</summary>
    private static async Task<Task<Node?>> AwaitAsync(LinkEnd here, int uid)
    {
        var node = new TaskCompletionSource<Node?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => node.SetResult(here.Node.Map.Await(uid, LongTime, here.Node.Links.Closed))) { IsBackground = true };
        thread.Start();
        await TestNode.Until(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), "nobody waits");
        return node.Task;
    }

    private static byte[] Beginning(int from, int to)
    {
        var writer = new WireWriter();
        writer.Bytes(LinkStream.BeginFieldNumber, new LinkBegin { From = from, To = to }.ToByteArray());
        return writer.ToArray();
    }
}
