using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m tcp</c> (libxt_tcp.c).</summary>
public sealed class TcpMatchExtension : MatchExtension
{
    private static readonly (string Name, TcpFlags Flags)[] Flags =
    [
        ("FIN", TcpFlags.Fin), ("SYN", TcpFlags.Syn), ("RST", TcpFlags.Rst), ("PSH", TcpFlags.Psh), ("ACK", TcpFlags.Ack),
        ("URG", TcpFlags.Urg), ("ALL", (TcpFlags)0x3f), ("NONE", TcpFlags.None),
    ];

    /// <inheritdoc/>
    public override string Name => "tcp";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Protocols = [IpProtocol.Tcp] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        new("sport") { Aliases = ["source-port"], Invertible = true },
        new("dport") { Aliases = ["destination-port"], Invertible = true },
        new("syn", 0) { Invertible = true, Excludes = ["tcp-flags"] },
        new("tcp-flags", 2) { Invertible = true },
        new("tcp-option") { Invertible = true },
    ];

    /// <inheritdoc/>
    public override Match Build(ExtensionOptions options)
    {
        var flags = options.Find("tcp-flags");
        var syn = options.Find("syn");
        var option = options.Find("tcp-option");
        if (flags is not null && ReadFlags(options, flags.Words[0]) == TcpFlags.None)
            options.Error(flags.Words[0], "tcp: no flag is looked at", "name the flags to look at, then those of them that must be set");
        return new TcpMatch
        {
            Source = Ports(options, "sport", isTurned: option is null),
            Destination = Ports(options, "dport", isTurned: option is null),
            FlagMask = flags is not null ? ReadFlags(options, flags.Words[0])
                : syn is not null ? TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack | TcpFlags.Fin : TcpFlags.None,
            FlagValue = flags is not null ? ReadFlags(options, flags.Words[1]) : syn is not null ? TcpFlags.Syn : TcpFlags.None,
            AreFlagsInverted = (flags ?? syn)?.IsInverted ?? false,
            Option = option is null ? (byte)0 : (byte)options.Number(option.Word, 1, byte.MaxValue),
            IsOptionInverted = option?.IsInverted ?? false,
        };
    }

    // nftables has no words of its own for --tcp-option: there, iptables keeps the match as it is.
    private static PortRange Ports(ExtensionOptions options, string name, bool isTurned)
    {
        var range = PortRange.ReadForPacket(options, name, IpProtocol.Tcp);
        return isTurned ? range.Turned : range;
    }

    /// <summary>Flags as rules write them: <c>SYN,ACK</c>, or <c>NONE</c>.</summary>
    public static string FlagNames(TcpFlags flags)
        => flags == TcpFlags.None ? "NONE" : string.Join(',', Flags.Take(6).Where(f => (flags & f.Flags) != 0).Select(f => f.Name));

    private static TcpFlags ReadFlags(ExtensionOptions options, Token word)
    {
        var flags = TcpFlags.None;
        foreach (var part in ExtensionOptions.List(word))
        {
            if (part.Text.Length == 0) continue;
            var known = Flags.FirstOrDefault(f => f.Name.Equals(part.Text, StringComparison.OrdinalIgnoreCase));
            if (known.Name is null)
                options.Error(part, $"tcp: \"{part}\" is not a TCP flag", "there are FIN, SYN, RST, PSH, ACK, URG, ALL and NONE");
            flags |= known.Flags;
        }
        return flags;
    }
}
