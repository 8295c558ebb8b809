using FwCluster.Packets;

namespace FwCluster.Rules.Text;

/// <summary>Addresses of the rule's family.</summary>
public sealed partial class ExtensionOptions
{
    /// <summary>Reads one address without a mask.</summary>
    public IpAddress Address(Token word) => AddressWords.Address(errors, word, Rule.Family);

    /// <summary>Reads an address with or without a mask (<c>XTTYPE_HOSTMASK</c>); the address keeps the bits that the mask hides, as
    /// <c>iptables-save</c> writes them.</summary>
    public MaskedAddress MaskedAddress(Token word)
    {
        var slash = word.Text.LastIndexOf('/');
        var masked = AddressWords.Masked(errors, word, Rule.Family);
        return slash < 0 || !IpAddress.TryParse(word.Text.AsSpan(0, slash), out var whole, out _) ? masked : masked with { Address = whole };
    }

    /// <summary>Reads a protocol by name or number.</summary>
    public byte Protocol(Token word) => ProtocolNames.Read(errors, word);
}
