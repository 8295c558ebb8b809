using FwCluster.Packets;
using FwCluster.Referee.Packets;

namespace FwCluster.Differential.Generation;

/// <summary>
/// Where a sequence plays: a handful of hosts whose addresses no other sequence of the run uses (so that many sequences share one
/// connection table), and the source of its randomness.
/// </summary>
/// <param name="random">All that is drawn comes from here.</param>
/// <param name="family">The family of all its packets.</param>
/// <param name="number">Tells the scene's addresses from those of others; less than <see cref="Numbers"/>.</param>
public sealed class Scene(Random random, IpFamily family, int number)
{
    /// <summary>How many scenes have addresses of their own.</summary>
    public const int Numbers = 1 << 22;

    private ushort _port = (ushort)random.Next(1024, 30000);

    /// <summary>All that is drawn comes from here.</summary>
    public Random Random { get; } = random;

    public IpFamily Family { get; } = family;

    /// <summary>The port that an FTP dialogue announced last, so that another one may announce it too.</summary>
    public int Announced { get; set; }

    /// <summary>What was sent so far, for errors that quote and for repetitions.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>One of four hosts.</summary>
    public IpAddress Host(int which) => Family == IpFamily.IPv4
        ? new IpAddress(0, 0x0a00_0000u | (uint)(number << 2) | (uint)(which & 3))
        : new IpAddress(0x2001_0db8_0000_0000UL | (uint)number, (ulong)(which & 3) + 1);

    /// <summary>The number of the scene that an address belongs to.</summary>
    public static int NumberOf(IpFamily family, IpAddress address)
        => family == IpFamily.IPv4 ? (int)(address.Low >> 2) & (Numbers - 1) : (int)(uint)address.High;

    /// <summary>From one host to another.</summary>
    public PacketAddresses Between(int source, int destination) => new(Family, Host(source), Host(destination));

    /// <summary>A port that this scene has not used.</summary>
    public ushort FreshPort() => _port++;

    /// <summary>True once in so many times.</summary>
    public bool Once(int times) => Random.Next(times) == 0;

    /// <summary>One of these.</summary>
    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[Random.Next(choices.Length)];

    /// <summary>Any 32 bits, often close to where numbers wrap.</summary>
    public uint AnyNumber() => Once(3) ? (uint)Random.Next(-3000, 3000) : (uint)Random.NextInt64(1L << 32);
}
