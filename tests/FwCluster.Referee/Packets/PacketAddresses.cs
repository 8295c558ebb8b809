using FwCluster.Packets;

namespace FwCluster.Referee.Packets;

/// <summary>Who sends a packet to whom.</summary>
public readonly record struct PacketAddresses(IpFamily Family, IpAddress Source, IpAddress Destination)
{
    /// <summary>The addresses of an answer.</summary>
    public PacketAddresses Reversed => new(Family, Destination, Source);

    /// <summary>Reads two addresses of one family as people write them.</summary>
    public static PacketAddresses Parse(string source, string destination)
    {
        if (!IpAddress.TryParse(source, out var from, out var family)) throw new FormatException($"not an address: {source}");
        if (!IpAddress.TryParse(destination, out var to, out var other)) throw new FormatException($"not an address: {destination}");
        return family == other
            ? new PacketAddresses(family, from, to)
            : throw new FormatException($"{source} and {destination} are of different families");
    }

    public override string ToString() => $"{Source.ToString(Family)} > {Destination.ToString(Family)}";
}
