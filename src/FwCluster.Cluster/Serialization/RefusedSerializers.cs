using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace FwCluster.Cluster.Serialization;

/// <summary>Stands where a serializer was that makes whatever object the sender names: it neither writes nor reads.</summary>
public abstract class RefusedSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <inheritdoc/>
    public sealed override string Manifest(object o) => throw Refused(o.GetType().ToString());

    /// <inheritdoc/>
    public sealed override byte[] ToBinary(object obj) => throw Refused(obj.GetType().ToString());

    /// <inheritdoc/>
    public sealed override object FromBinary(byte[] bytes, string manifest) => throw Refused(manifest);

    private static SerializationException Refused(string what) => new($"{what} is nothing that nodes say: it is neither sent nor taken");
}

/// <summary>Instead of JSON, which Akka.NET takes for every type without a serializer of its own.</summary>
/// <param name="system">The actors' system.</param>
/// <param name="settings">Those of the serializer whose place this takes.</param>
#pragma warning disable CS9113, IDE0060 // Akka.NET wants to give them
public sealed class RefusedJson(ExtendedActorSystem system, Config settings) : RefusedSerializer(system)
#pragma warning restore CS9113, IDE0060
{
    /// <inheritdoc/>
    public override int Identifier => 1;
}

/// <summary>Instead of the one for all protobuf types by name.</summary>
public sealed class RefusedProtobuf(ExtendedActorSystem system) : RefusedSerializer(system)
{
    /// <inheritdoc/>
    public override int Identifier => 2;
}

/// <summary>Instead of the one by which a node starts actors on another.</summary>
public sealed class RefusedDeployment(ExtendedActorSystem system) : RefusedSerializer(system)
{
    /// <inheritdoc/>
    public override int Identifier => 3;
}

/// <summary>Instead of reliable delivery's, which is not used.</summary>
public sealed class RefusedDelivery(ExtendedActorSystem system) : RefusedSerializer(system)
{
    /// <inheritdoc/>
    public override int Identifier => 36;
}

/// <summary>Instead of cluster clients', which are not used.</summary>
public sealed class RefusedClient(ExtendedActorSystem system) : RefusedSerializer(system)
{
    /// <inheritdoc/>
    public override int Identifier => 15;
}
