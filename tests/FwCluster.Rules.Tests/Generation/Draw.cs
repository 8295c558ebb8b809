using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Rules.Tests.Generation;

/// <summary>Chance, and the small world that generated rules and packets share: few enough addresses, ports and interfaces that packets meet rules.</summary>
public sealed class Draw(int seed, IpFamily family)
{
    private static readonly string[] IPv4Addresses = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.7.9", "198.51.100.20", "203.0.113.5"];
    private static readonly string[] IPv6Addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "fd00::7", "2001:db8:ffff::20", "fe80::5"];
    private static readonly string[] Interfaces = ["eth0", "eth1", "lo", "veth-a", "a", "bond0.100"];
    private static readonly int[] Ports = [0, 1, 20, 21, 53, 80, 443, 1023, 1024, 8080, 32768, 65534, 65535];

    /// <summary>What it began with, for messages.</summary>
    public int Seed { get; } = seed;

    /// <summary>IPv4 or IPv6.</summary>
    public IpFamily Family { get; } = family;

    /// <summary>True for IPv4.</summary>
    public bool IsIPv4 => Family == IpFamily.IPv4;

    /// <summary>The source of all chance.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>One of these.</summary>
    public T Pick<T>(params ReadOnlySpan<T> from) => from[Random.Next(from.Length)];

    /// <summary>True in one of <paramref name="outOf"/> cases.</summary>
    public bool Rarely(int outOf = 5) => Random.Next(outOf) == 0;

    /// <summary>A number from <paramref name="min"/> to <paramref name="max"/>, both possible.</summary>
    public long Number(long min, long max) => Random.NextInt64(min, max + 1);

    /// <summary>A number as people write it: decimal or hexadecimal.</summary>
    public string Written(long number)
        => Rarely() ? "0x" + number.ToString(Rarely(2) ? "x" : "X", CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);

    /// <summary>An address of this world.</summary>
    public string Address() => Pick(IsIPv4 ? IPv4Addresses : IPv6Addresses);

    /// <summary>An address with or without a mask, in any notation.</summary>
    public string Network()
    {
        var address = Address();
        if (!IsIPv4) return Random.Next(4) switch { 0 => address, 1 => address + "/ffff:ffff::", 2 => address + "/ffff:0:ffff::", _ => $"{address}/{Number(0, 128)}" };
        return Random.Next(5) switch
        {
            0 => address,
            1 => address + "/255.255.255.0",
            2 => address + "/255.0.255.0",
            _ => $"{address}/{Number(0, 32)}",
        };
    }

    /// <summary>An address with or without the length of a prefix.</summary>
    public string Prefix() => Rarely(3) ? Address() : $"{Address()}/{Number(0, IsIPv4 ? 32 : 128)}";

    /// <summary>An interface of this world, or a beginning of one.</summary>
    public string Interface()
    {
        var name = Pick(Interfaces);
        return Random.Next(4) switch { 0 => name[..Random.Next(1, name.Length + 1)] + "+", 1 => Pick("eth+", "+"), _ => name };
    }

    /// <summary>A port of this world, or any.</summary>
    public long Port() => Rarely(3) ? Number(0, 65535) : Pick(Ports);

    /// <summary>A port, or a range the right way round, in every notation.</summary>
    /// <remarks>Never all ports: a rule that turns that round matches nothing.</remarks>
    public string PortRange()
    {
        var (a, b) = (Number(1, 65534), Port());
        var (low, high) = (Math.Min(a, b), Math.Max(a, b));
        return Random.Next(6) switch { 0 => $"{low}:{high}", 1 => $"{a}:", 2 => $":{a}", 3 => Pick("ftp", "domain", "80", "0x50"), _ => $"{b}" };
    }

    /// <summary>"! " sometimes.</summary>
    public string Not() => Rarely(4) ? "! " : "";

    /// <summary>A value with or without a mask.</summary>
    public string Mark() => Rarely(2) ? Written(Number(0, uint.MaxValue)) : $"{Written(Number(0, 255))}/{Written(Number(0, 255))}";

    /// <summary>Some of these, in any order, with commas.</summary>
    public string Some(params string[] words)
    {
        Random.Shuffle(words);
        return string.Join(',', words[..Random.Next(1, words.Length + 1)]);
    }

    /// <summary>A text with what quoting has to deal with, as restore text writes it.</summary>
    public string Text(int max)
    {
        const string Characters = "abcXYZ019_-  .,:;!$#'\"\\/()[]{}=+";
        var text = new string([.. Enumerable.Range(0, Random.Next(1, max + 1)).Select(_ => Characters[Random.Next(Characters.Length)])]);
        return "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
    }
}
