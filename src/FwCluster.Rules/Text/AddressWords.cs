using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Packets;

namespace FwCluster.Rules.Text;

/// <summary>An address under a mask.</summary>
/// <param name="Address">The address, masked.</param>
/// <param name="Mask">The mask; need not be a prefix.</param>
public readonly record struct MaskedAddress(IpAddress Address, IpAddress Mask)
{
    /// <summary>Does the address fall under it?</summary>
    public bool Contains(IpAddress address) => address.And(Mask) == Address;

    /// <summary>The length of the prefix, or -1 where the mask is none.</summary>
    public int PrefixLength(IpFamily family)
    {
        var bits = family.AddressBits();
        var length = bits - (int)UInt128.PopCount(IpAddress.PrefixMask(family, bits).Value ^ Mask.Value);
        return length >= 0 && IpAddress.PrefixMask(family, length) == Mask ? length : -1;
    }

    /// <summary>As <c>iptables-save</c> writes addresses of <c>-s</c> and <c>-d</c>: always with a mask, a length where it is a prefix.</summary>
    public string ToString(IpFamily family)
        => Address.ToString(family) + "/" + (PrefixLength(family) is var length and >= 0
            ? length.ToString(CultureInfo.InvariantCulture) : Mask.ToString(family));

    /// <summary>As <c>iptables -L -n</c> prints it: a single address without its mask.</summary>
    public string Listing(IpFamily family)
        => PrefixLength(family) == family.AddressBits() ? Address.ToString(family) : ToString(family);
}

/// <summary>Reads addresses, masks and lists of them. Names of hosts and networks are refused: what they resolve to may differ from one node
/// to the next, and from one day to the next.</summary>
public static class AddressWords
{
    /// <summary>Reads a list of addresses with or without masks, as <c>-s</c> and <c>-d</c> take it.</summary>
    public static ImmutableArray<MaskedAddress> List(IErrorSink errors, Token word, IpFamily family)
    {
        if (word.Text.Length > 0 && !char.IsWhiteSpace(word.Text[0]) && !word.Text.Contains(',', StringComparison.Ordinal)) return [Masked(errors, word, family)];
        var addresses = ImmutableArray.CreateBuilder<MaskedAddress>();
        foreach (var part in ExtensionOptions.List(word))
        {
            // A space may stand behind a comma, in a quoted list.
            var trimmed = part.Text.TrimStart();
            addresses.Add(Masked(errors, part.Part(part.Text.Length - trimmed.Length, trimmed.Length), family));
        }
        return addresses.ToImmutable();
    }

    /// <summary>Reads <c>address</c>, <c>address/length</c> or <c>address/mask</c>.</summary>
    public static MaskedAddress Masked(IErrorSink errors, Token word, IpFamily family)
    {
        var slash = word.Text.LastIndexOf('/');
        var mask = slash < 0
            ? IpAddress.PrefixMask(family, family.AddressBits())
            : Mask(errors, word.Part(slash + 1, word.Text.Length - slash - 1), family);
        var address = Address(errors, slash < 0 ? word : word.Part(0, slash), family);
        return new(address.And(mask), mask);
    }

    /// <summary>Reads one address without a mask.</summary>
    public static IpAddress Address(IErrorSink errors, Token word, IpFamily family)
    {
        if (HasLeadingZero(word.Text))
        {
            errors.Error(word, $"\"{word}\" has a number that begins with 0", "some read it as octal: write it without the 0");
            return default;
        }
        if (IpAddress.TryParse(word.Text, out var address, out var found))
        {
            if (found == family) return address;
            errors.Error(word, $"\"{word}\" is an {Name(found)} address in an {Name(family)} rule",
                found == IpFamily.IPv6 ? "use ip6tables for it" : "use iptables for it");
            return default;
        }
        errors.Error(word, $"\"{word}\" is not an {Name(family)} address",
            word.Text.Length > 0 && word.Text.Any(char.IsLetter) && !word.Text.Contains(':', StringComparison.Ordinal)
                ? "names of hosts and networks are not looked up: write the address itself"
                : family == IpFamily.IPv4 ? "write it like 192.0.2.1 or 192.0.2.0/24" : "write it like 2001:db8::1 or 2001:db8::/32");
        return default;
    }

    private static bool HasLeadingZero(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal)) return false;
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (text[i] == '0' && char.IsAsciiDigit(text[i + 1]) && (i == 0 || text[i - 1] == '.')) return true;
        }
        return false;
    }

    private static IpAddress Mask(IErrorSink errors, Token word, IpFamily family)
    {
        var bits = family.AddressBits();
        if (ExtensionOptions.TryNumber(word.Text, out var length) && length <= (ulong)bits) return IpAddress.PrefixMask(family, (int)length);
        if (IpAddress.TryParse(word.Text, out var mask, out var found) && found == family) return mask;
        errors.Error(word, $"\"{word}\" is not an {Name(family)} mask",
            $"write a length from 0 to {bits}, or a mask like {(family == IpFamily.IPv4 ? "255.255.255.0" : "ffff:ffff::")}");
        return default;
    }

    /// <summary>"IPv4" or "IPv6".</summary>
    public static string Name(IpFamily family) => family == IpFamily.IPv6 ? "IPv6" : "IPv4";
}
