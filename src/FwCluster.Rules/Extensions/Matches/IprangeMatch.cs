using System.Collections.Immutable;
using FwCluster.Packets;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Model;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>A range of addresses, both ends in it.</summary>
/// <param name="First">First address.</param>
/// <param name="Last">Last address; before the first, the range is empty.</param>
/// <param name="IsInverted">True for <c>!</c>.</param>
public readonly record struct AddressRange(IpAddress First, IpAddress Last, bool IsInverted)
{
    /// <summary>Is the address in it?</summary>
    public bool Contains(IpAddress address) => (address >= First && address <= Last) != IsInverted;
}

/// <summary><c>-m iprange</c>: ranges of addresses (<c>iprange_mt4</c>, <c>iprange_mt6</c> in xt_iprange.c).</summary>
public sealed class IprangeMatch : Match
{
    /// <summary>Whose addresses these are.</summary>
    public required IpFamily Family { get; init; }

    /// <summary><c>--src-range</c>, or null.</summary>
    public AddressRange? Source { get; init; }

    /// <summary><c>--dst-range</c>, or null.</summary>
    public AddressRange? Destination { get; init; }

    /// <inheritdoc/>
    public override string Name => "iprange";

    /// <inheritdoc/>
    public override bool Matches(ref PacketContext packet, ref bool hotDrop)
        => (Source is not { } source || source.Contains(packet.Headers.Source))
            && (Destination is not { } destination || destination.Contains(packet.Headers.Destination));

    /// <inheritdoc/>
    public override void List(ListingWriter writer)
    {
        List(writer, "source", Source);
        List(writer, "destination", Destination);
    }

    private void List(ListingWriter writer, string side, AddressRange? range)
    {
        if (range is not { } r) return;
        writer.Words($"{side} IP range{(r.IsInverted ? " !" : "")} {r.First.ToString(Family)}-{r.Last.ToString(Family)}");
    }

    /// <inheritdoc/>
    public override void Constrain(RuleConstraints constraints)
    {
        if (Source is { } source) constraints.Restrict(PacketField.Source, source.First.Value, source.Last.Value, source.IsInverted);
        if (Destination is { } to) constraints.Restrict(PacketField.Destination, to.First.Value, to.Last.Value, to.IsInverted);
    }

    /// <inheritdoc/>
    public override void Write(RuleWriter writer)
    {
        Write(writer, "--src-range", Source);
        Write(writer, "--dst-range", Destination);
    }

    private void Write(RuleWriter writer, string option, AddressRange? range)
    {
        if (range is not { } r) return;
        writer.Option(option, r.IsInverted).Word($"{r.First.ToString(Family)}-{r.Last.ToString(Family)}");
    }
}

/// <summary>The language of <c>-m iprange</c> (libxt_iprange.c).</summary>
public sealed class IprangeMatchExtension : MatchExtension
{
    /// <inheritdoc/>
    public override string Name => "iprange";

    /// <inheritdoc/>
    public override ImmutableArray<OptionSpec> Options { get; } =
        [new("src-range") { Invertible = true }, new("dst-range") { Invertible = true }];

    /// <inheritdoc/>
    public override Match Build(ExtensionOptions options)
    {
        if (options.Uses.Length == 0) options.Error(options.Word, "iprange: no range is given", "write --src-range or --dst-range");
        return new IprangeMatch
        {
            Family = options.Rule.Family,
            Source = Read(options, "src-range"),
            Destination = Read(options, "dst-range"),
        };
    }

    // FIRST-LAST, or one address; a range the wrong way round is empty, as with iptables.
    private static AddressRange? Read(ExtensionOptions options, string option)
    {
        if (options.Find(option) is not { } use) return null;
        var dash = use.Word.Text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0)
        {
            var address = options.Address(use.Word);
            return new(address, address, use.IsInverted);
        }
        return new(options.Address(use.Word.Part(0, dash)),
            options.Address(use.Word.Part(dash + 1, use.Word.Text.Length - dash - 1)), use.IsInverted);
    }
}
