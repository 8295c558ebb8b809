using System.Net;
using Akka.Actor;
using Akka.Event;
using FwCluster.Cluster.Links;
using FwCluster.Cluster.Nodes;
using FwCluster.Cluster.Protocol.V1;
using FwCluster.Cluster.Security;
using FwCluster.Cluster.Wire;
using FwCluster.Conntrack.Table;
using FwCluster.Packets;
using FwCluster.Referee.Lab;
using FwCluster.Referee.Packets;
using Google.Protobuf;

namespace FwCluster.Cluster.Tests;

/// <summary>One process's end: what it is to others, and what it knows of them.</summary>
internal sealed class LinkEnd : IDisposable
{
    private readonly List<Link> _links = [];

    public LinkEnd(int uid, NodeCertificates? certificates = null)
    {
        var settings = TestNode.Settings();
        if (certificates?.Make() is var (certificate, key))
            settings = settings with { Certificate = certificate, CertificateKey = key, CertificateAuthority = certificates.Authority };
        var statistics = new ClusterStatistics();
        Node = new NodeContext(settings, new NodeMap(settings.Shards, new TupleHash(settings.KeyBytes)), new ShardCodec(new HelperNames([])), TestNode.Now, statistics)
        {
            Links = LinkListener.Open(IPAddress.Loopback, 0), Log = NoLogger.Instance,
            Certificates = settings.IsEncrypted ? ClusterCertificates.Load(settings, statistics) : null,
        };
        Node.Map.Add(uid, new Address("akka", "test"), ActorRefs.Nobody, link: null);
        Node.Links.Start(Node);
    }

    public NodeContext Node { get; }

    public Link Meet(LinkEnd other) => Meet(other.Node.Map[0].Uid, other.Node.Links.Port);

    public Link Meet(int uid, int port)
    {
        var address = new Address("akka.tcp", "test", "127.0.0.1", 1);
        var link = new Link(Node, uid, address, port);
        _links.Add(link);
        Node.Map.Add(uid, address, ActorRefs.Nobody, link);
        return link;
    }

    public void Announce(ulong number, int port, ulong ticket = 0)
    {
        var change = new ExpectationChange { Id = new ExpectationId { Number = number }, Tuple = ExpectationWire.Of(Tuple(port)), ExpiresIn = 60_000_000_000 };
        Say(new ExpectationChanges { Ticket = ticket, Changes = { change } }, canWait: false);
    }

    public void Withdraw(ulong number, bool canWait)
        => Say(new ExpectationChanges { Changes = { new ExpectationChange { Id = new ExpectationId { Number = number }, IsWithdrawn = true } } }, canWait);

    public bool Knows(ulong number, int port) => Node.Directory.Find(Tuple(port), 0, TestNode.Now()).Number == number;

    public void Dispose()
    {
        Node.Links.Dispose();
        foreach (var link in _links) link.Dispose();
    }

    private void Say(ExpectationChanges changes, bool canWait) => _links[0].Write(LinkStream.ExpectationsFieldNumber, changes.ToByteArray(), canWait);

    private static FlowTuple Tuple(int port) => TestNode.TupleOf(PacketBuilder.Tcp(PacketAddresses.Parse("10.0.0.1", "10.1.0.1"), 20, (ushort)port, TcpFlags.Syn, 1));
}
