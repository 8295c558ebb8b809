using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace FwCluster.Cluster.Serialization;

/// <summary>Akka's serializer for odds and ends, less those that make objects of types the sender names (exceptions, routers, configuration).</summary>
public sealed class LimitedMisc(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    // Identify and its answer, an actor's address, heartbeats of watched nodes, "stop": as MiscMessageSerializer names them.
    private static readonly HashSet<string> Taken = ["ID", "AID", "AR", "PP", "RWHB", "RWHR"];

    private readonly MiscMessageSerializer _all = new(system);

    /// <inheritdoc/>
    public override int Identifier => 16;

    /// <inheritdoc/>
    public override string Manifest(object o) => _all.Manifest(o);

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj)
        => Taken.Contains(Manifest(obj)) ? _all.ToBinary(obj) : throw new SerializationException($"{obj.GetType()} is nothing that nodes say");

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest)
        => Taken.Contains(manifest) ? _all.FromBinary(bytes, manifest) : throw new SerializationException($"'{manifest}' is nothing that nodes say");
}
