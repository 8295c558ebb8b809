using System.Security.Cryptography;
using System.Text;

namespace FwCluster.Control.Rulesets;

/// <summary>Rules as somebody wrote them.</summary>
/// <param name="IPv4">Text of iptables-save, or iptables command lines; empty for none.</param>
/// <param name="IPv6">Text of ip6tables-save; empty for none.</param>
/// <param name="Sets">Text of ipset save; empty for none.</param>
public sealed record RulesetTexts(string IPv4, string IPv6, string Sets)
{
    /// <summary>No rules: everything is accepted.</summary>
    public static RulesetTexts Empty { get; } = new("", "", "");

    /// <summary>SHA-256 over the three texts, hexadecimal.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var text in (ReadOnlySpan<string>)[IPv4, IPv6, Sets])
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            // With its length before it, no text can pass for the beginning of the next one.
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
