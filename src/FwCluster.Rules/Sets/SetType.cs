namespace FwCluster.Rules.Sets;

/// <summary>The types of sets that are supported, and what each knows.</summary>
/// <param name="Name">The name after <c>create</c>.</param>
/// <param name="Shape">What makes its key, for those that have one.</param>
/// <param name="Options">What may follow its name.</param>
internal sealed record SetType(string Name, KeyShape Shape, string Options)
{
    private const string OfAll = "timeout counters comment skbinfo ";
    private const string OfHash = OfAll + "family hashsize maxelem bucketsize initval forceadd ";

    /// <summary>All of them.</summary>
    public static SetType[] All { get; } =
    [
        new("hash:ip", KeyShape.Address, OfHash + "netmask"),
        new("hash:net", KeyShape.Network, OfHash),
        new("hash:ip,port", KeyShape.Port, OfHash),
        new("hash:net,port", KeyShape.Network | KeyShape.Port, OfHash),
        new("hash:ip,port,ip", KeyShape.Port | KeyShape.SecondAddress, OfHash),
        new("hash:net,iface", KeyShape.Network, OfHash),
        new("bitmap:ip", KeyShape.Address, OfAll + "range netmask"),
        new("bitmap:port", KeyShape.Address, OfAll + "range"),
        new("list:set", KeyShape.Address, OfAll + "size"),
    ];

    /// <summary>Options without a value.</summary>
    public static bool IsFlag(string option) => option is "counters" or "comment" or "skbinfo" or "forceadd";

    /// <summary>Does it know this option?</summary>
    public bool Knows(string option) => Options.Split(' ').Contains(option);
}
