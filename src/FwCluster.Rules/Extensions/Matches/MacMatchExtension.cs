using System.Collections.Immutable;
using System.Globalization;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>The language of <c>-m mac</c> (libxt_mac.c).</summary>
public sealed class MacMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "mac";

    /// <inheritdoc/>
    public override ExtensionScope Scope { get; } = new() { Hooks = [Hook.PreRouting, Hook.Input, Hook.Forward] };

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } = [new("mac-source") { Invertible = true, Required = true }];

    /// <inheritdoc/>
    public override Match? Build(ExtensionOptions options)
        => options.Find("mac-source") is { } use ? new MacMatch(Address(options, use.Word), use.IsInverted) : null;

    private static ulong Address(ExtensionOptions options, Token word)
    {
        var address = 0UL;
        var parts = word.Text.Split(':');
        var valid = parts.Length == 6;
        foreach (var part in parts)
        {
            valid &= byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && part.Length <= 2;
            address = address << 8 | value;
        }
        if (!valid) options.Error(word, $"mac: \"{word}\" is not an Ethernet address", "write it like 02:00:5e:10:00:01");
        return address;
    }
}
