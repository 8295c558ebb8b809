using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Extensions.Matches;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Sets;

/// <summary>Reads the parts of a set's elements; reports what cannot be one.</summary>
/// <param name="errors">Where mistakes go.</param>
internal sealed class ElementReader(IErrorSink errors)
{
    // Element by element, a longer range would only fill memory.
    private const int MaxAddresses = 1 << 20;

    /// <summary>An address, a network, or FIRST-LAST, as a range.</summary>
    public FieldRange? Addresses(Token word, IpFamily family)
    {
        var dash = word.Text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
        {
            if (!TryNetwork(word, family, out var masked, out var prefix)) return null;
            var hostBits = family.AddressBits() - prefix;
            return Check(word, new(masked.Value, masked.Value | UInt128.MaxValue >> 1 >> (127 - hostBits)));
        }
        if (!TryAddress(word.Part(0, dash), family, out var first)) return null;
        return TryAddress(word.Part(dash + 1, word.Text.Length - dash - 1), family, out var end) ? Check(word, new(first.Value, end.Value)) : null;
    }

    /// <summary>A network, or the networks that make up FIRST-LAST.</summary>
    public IEnumerable<(IpAddress Address, int Prefix)> Networks(Token word, IpFamily family, bool allowsWhole)
    {
        if (!word.Text.Contains('-', StringComparison.Ordinal))
        {
            if (!TryNetwork(word, family, out var address, out var prefix)) return [];
            if (prefix > 0 || allowsWhole) return [(address, prefix)];
            errors.Error(word, "a network of all addresses cannot be in this set", "split it into two halves");
            return [];
        }
        var dash = word.Text.IndexOf('-', StringComparison.Ordinal);
        if (!TryAddress(word.Part(0, dash), family, out var first)
            || !TryAddress(word.Part(dash + 1, word.Text.Length - dash - 1), family, out var last)) return [];
        if (first <= last) return Split(first.Value, last.Value, family);
        errors.Error(word, $"the range \"{word}\" begins after its end");
        return [];
    }

    /// <summary>A port or FIRST-LAST.</summary>
    public FieldRange? Ports(Token word)
    {
        var dash = word.Text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0) return Port(word) is { } port ? new(port, port) : null;
        return Port(word.Part(0, dash)) is { } first && Port(word.Part(dash + 1, word.Text.Length - dash - 1)) is { } last
            ? Check(word, new(first, last))
            : null;
    }

    /// <summary><c>[PROTOCOL:]PORT[-PORT]</c>, TCP where none is named; an ICMP type for ICMP.</summary>
    public (byte Protocol, FieldRange Range) ProtocolPorts(Token word)
    {
        var colon = word.Text.IndexOf(':', StringComparison.Ordinal);
        var protocol = colon < 0 ? IpProtocol.Tcp : ProtocolNames.Read(errors, word.Part(0, colon));
        var rest = colon < 0 ? word : word.Part(colon + 1, word.Text.Length - colon - 1);
        if (protocol is IpProtocol.Icmp or IpProtocol.IcmpV6) return (protocol, IcmpType(rest, protocol));
        return (protocol, Ports(rest) ?? new FieldRange(1, 0));
    }

    /// <summary>An interface, with <c>physdev:</c> before it where it is a bridge's port.</summary>
    public InterfaceElement? Interface(Token word, bool isWildcard)
    {
        const string Physical = "physdev:";
        var isPhysical = word.Text.StartsWith(Physical, StringComparison.Ordinal);
        var name = isPhysical ? word.Text[Physical.Length..] : word.Text;
        if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > InterfaceName.MaxLength)
        {
            errors.Error(word, $"\"{name}\" cannot be the name of an interface", $"a name has 1 to {InterfaceName.MaxLength} bytes");
            return null;
        }
        var compared = System.Text.Encoding.UTF8.GetByteCount(name) + (isWildcard ? 0 : 1);
        var mask = compared == 16 ? UInt128.MaxValue : (UInt128.One << 8 * compared) - 1;
        return new(InterfaceName.From(name), mask, isPhysical, default);
    }

    private ushort? Port(Token word)
    {
        if (ExtensionOptions.TryNumber(word.Text, out var number) && number <= ushort.MaxValue) return (ushort)number;
        if (ServiceNames.TryPort(word.Text, 0, out var port)) return port;
        errors.Error(word, $"\"{word}\" is not a port", "write a number from 0 to 65535");
        return null;
    }

    private FieldRange IcmpType(Token word, byte protocol)
    {
        var names = protocol == IpProtocol.Icmp ? IcmpTypes.IPv4 : IcmpTypes.IPv6;
        foreach (var (name, value) in names)
        {
            if (name.Equals(word.Text, StringComparison.OrdinalIgnoreCase)) return Single(value.Type << 8 | value.LowCode);
        }
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && byte.TryParse(word.Text.AsSpan(0, slash), out var type) && byte.TryParse(word.Text.AsSpan(slash + 1), out var code))
            return Single(type << 8 | code);
        errors.Error(word, $"\"{word}\" is not an ICMP type", Nearest.Hint(word.Text, names.Select(n => n.Name)) ?? "write its name, or TYPE/CODE");
        return new(1, 0);
    }

    private static FieldRange Single(int value) => new((UInt128)value, (UInt128)value);

    private bool TryNetwork(Token word, IpFamily family, out IpAddress masked, out int prefix)
    {
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        prefix = family.AddressBits();
        masked = default;
        if (slash >= 0)
        {
            var length = word.Part(slash + 1, word.Text.Length - slash - 1);
            if (!ExtensionOptions.TryNumber(length.Text, out var bits) || bits > (ulong)family.AddressBits())
            {
                errors.Error(length, $"\"{length}\" is not the length of a network", $"write a number from 0 to {family.AddressBits()}");
                return false;
            }
            prefix = (int)bits;
        }
        if (!TryAddress(slash < 0 ? word : word.Part(0, slash), family, out var address)) return false;
        masked = address.And(IpAddress.PrefixMask(family, prefix));
        return true;
    }

    private bool TryAddress(Token word, IpFamily family, out IpAddress address)
    {
        if (IpAddress.TryParse(word.Text, out address, out var found) && found == family) return true;
        AddressWords.Address(errors, word, family);
        return false;
    }

    private FieldRange? Check(Token word, FieldRange range)
    {
        if (range.Last < range.First) errors.Error(word, $"the range \"{word}\" begins after its end");
        else if (range.Last - range.First >= MaxAddresses) errors.Error(word, $"\"{word}\" has more than {MaxAddresses} elements", "use a set of networks");
        else return range;
        return null;
    }

    /// <summary>The fewest networks that cover a range and nothing else.</summary>
    private static IEnumerable<(IpAddress, int)> Split(UInt128 first, UInt128 last, IpFamily family)
    {
        var bits = family.AddressBits();
        while (true)
        {
            // As large as the first address is aligned to, and as fits before the last.
            var size = first == 0 ? bits : Math.Min(bits, (int)UInt128.TrailingZeroCount(first));
            while (size > 0 && (size == 128 ? UInt128.MaxValue : (UInt128.One << size) - 1) > last - first) size--;
            yield return (IpAddress.FromValue(first), bits - size);
            var end = first + (size == 128 ? UInt128.MaxValue : (UInt128.One << size) - 1);
            if (end >= last) yield break;
            first = end + 1;
        }
    }
}
