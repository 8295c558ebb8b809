using System.Collections.Immutable;
using FwCluster.Conntrack;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m conntrack</c> (libxt_conntrack.c, revision 3).</summary>
public sealed class ConntrackMatchExtension : MatchExtension
{
    private static readonly (string Name, ConnectionStatus Bit)[] Statuses =
    [
        ("NONE", ConnectionStatus.None), ("EXPECTED", ConnectionStatus.Expected), ("SEEN_REPLY", ConnectionStatus.SeenReply),
        ("ASSURED", ConnectionStatus.Assured), ("CONFIRMED", ConnectionStatus.Confirmed),
    ];

    private static readonly string[] StatusWords = [.. Statuses.Select(s => s.Name)];

    /// <inheritdoc/>
    public override string Name => "conntrack";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        .. new[]
        {
            "ctstate", "ctproto", "ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst", "ctstatus", "ctexpire", "ctorigsrcport", "ctorigdstport",
            "ctreplsrcport", "ctrepldstport",
        }.Select(name => new OptionSpec(name) { Invertible = true }),
        new("ctdir"),
    ];

    /// <inheritdoc/>
    public override Match Build(ExtensionOptions options)
    {
        if (options.Uses.Length == 0) options.Error(options.Word, "conntrack: nothing is asked for", "write --ctstate, for example");
        return new ConntrackMatch
        {
            Family = options.Rule.Family,
            States = Read(options, "ctstate", w => StateSet.Read(options, w, withTranslation: true)),
            Protocol = Read(options, "ctproto", options.Protocol),
            OriginalSource = Address(options, "ctorigsrc"),
            OriginalDestination = Address(options, "ctorigdst"),
            ReplySource = Address(options, "ctreplsrc"),
            ReplyDestination = Address(options, "ctrepldst"),
            OriginalSourcePort = Ports(options, "ctorigsrcport"),
            OriginalDestinationPort = Ports(options, "ctorigdstport"),
            ReplySourcePort = Ports(options, "ctreplsrcport"),
            ReplyDestinationPort = Ports(options, "ctrepldstport"),
            Status = Read(options, "ctstatus", w => ReadStatus(options, w)),
            Expires = Read(options, "ctexpire", w => Seconds(options, w)),
            Direction = Direction(options),
        };
    }

    /// <summary>Status bits as rules write them.</summary>
    public static string StatusNames(ConnectionStatus status)
        => status == ConnectionStatus.None ? "NONE"
            : string.Join(',', Statuses.Where(s => s.Bit != 0 && (status & s.Bit) != 0).Select(s => s.Name));

    private static Invertible<T>? Read<T>(ExtensionOptions options, string option, Func<Token, T> read)
        => options.Find(option) is { } use ? new(read(use.Word), use.IsInverted) : null;

    private static PortRange? Ports(ExtensionOptions options, string option)
        => options.Has(option) ? PortRange.Read(options, option, protocol: 0) : null;

    private static Invertible<MaskedAddress>? Address(ExtensionOptions options, string option)
    {
        if (options.Find(option) is not { } use) return null;
        var address = options.MaskedAddress(use.Word);
        // iptables takes such a mask for one of all ones, and says nothing.
        if (address.PrefixLength(options.Rule.Family) < 0)
            options.Error(use.Word, $"conntrack: the mask of \"{use.Word}\" is not a prefix", "write a length behind the slash");
        return new(address, use.IsInverted);
    }

    private static (uint Low, uint High) Seconds(ExtensionOptions options, Token word)
    {
        var (low, high) = options.NumberRange(word, uint.MaxValue);
        return ((uint)low, (uint)high);
    }

    private static ConnectionStatus ReadStatus(ExtensionOptions options, Token word)
    {
        var status = ConnectionStatus.None;
        foreach (var part in ExtensionOptions.List(word))
        {
            if (options.Beginning(part, "a connection's status", StatusWords) is var index and >= 0) status |= Statuses[index].Bit;
        }
        return status;
    }

    private static Direction? Direction(ExtensionOptions options)
    {
        if (options.Find("ctdir") is not { } use) return null;
        if (use.Word.Text.Equals("ORIGINAL", StringComparison.OrdinalIgnoreCase)) return Conntrack.Direction.Original;
        if (!use.Word.Text.Equals("REPLY", StringComparison.OrdinalIgnoreCase))
            options.Error(use.Word, $"conntrack: \"{use.Word}\" is not a direction", "it is ORIGINAL or REPLY");
        return Conntrack.Direction.Reply;
    }
}
