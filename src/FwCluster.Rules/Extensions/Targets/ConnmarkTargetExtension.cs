using System.Collections.Immutable;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Targets;

/// <summary>The language of <c>-j CONNMARK</c> (libxt_CONNMARK.c, revision 2).</summary>
public sealed class ConnmarkTargetExtension : TargetExtension
{
    private static readonly ImmutableArray<string> Modes = [.. MarkChange.Options, "save-mark", "restore-mark"];

    /// <inheritdoc/>
    public override string Name => "CONNMARK";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
    [
        .. Modes.Select((name, i) => new OptionSpec(name, name is "save-mark" or "restore-mark" ? 0 : 1) { Excludes = Modes[(i + 1)..] }),
        new("left-shift-mark"), new("right-shift-mark"),
        new("ctmask") { Excludes = ["mask"] }, new("nfmask") { Excludes = ["mask"] }, new("mask"),
    ];

    /// <inheritdoc/>
    public override Target? Build(ExtensionOptions options)
    {
        var mode = default(ConnmarkMode?);
        var connection = new MarkChange(0, uint.MaxValue);
        var packetMask = uint.MaxValue;
        var shift = 0;
        // In the order written: a mask given after a value replaces the value's own, as with iptables.
        foreach (var use in options.Uses)
        {
            switch (use.Spec.Name)
            {
                case "save-mark":
                    mode = ConnmarkMode.Save;
                    break;
                case "restore-mark":
                    mode = ConnmarkMode.Restore;
                    break;
                case "ctmask":
                    connection = connection with { Mask = Bits(options, use) };
                    break;
                case "nfmask":
                    packetMask = Bits(options, use);
                    break;
                case "mask":
                    packetMask = Bits(options, use);
                    connection = connection with { Mask = packetMask };
                    break;
                case "left-shift-mark":
                    shift = (int)options.Number(use.Word, 0, 31);
                    break;
                case "right-shift-mark":
                    shift = -(int)options.Number(use.Word, 0, 31);
                    break;
                default:
                    mode = ConnmarkMode.Set;
                    connection = MarkChange.Read(options, use);
                    break;
            }
        }
        if (mode is { } known) return new ConnmarkTarget { Mode = known, Connection = connection, PacketMask = packetMask, Shift = shift };
        options.Error(options.Word, "CONNMARK: nothing to do is given", "write --set-mark VALUE, --save-mark or --restore-mark");
        return null;
    }

    private static uint Bits(ExtensionOptions options, OptionUse use) => (uint)options.Number(use.Word, 0, uint.MaxValue);
}
