using System.Globalization;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>An inclusive range of ports that may be inverted, and how rules write it.</summary>
/// <param name="Low">First.</param>
/// <param name="High">Last.</param>
/// <param name="IsInverted">True for <c>!</c>.</param>
public readonly record struct PortRange(ushort Low, ushort High, bool IsInverted)
{
    /// <summary>Every port.</summary>
    public static PortRange Any { get; } = new(0, ushort.MaxValue, false);

    /// <summary>True where it is every port, whether inverted or not: <c>iptables-save</c> prints neither.</summary>
    public bool IsWhole => Low == 0 && High == ushort.MaxValue;

    /// <summary>Is the port in it?</summary>
    public bool Contains(ushort port) => (port >= Low && port <= High) != IsInverted;

    /// <summary>Tells a classifier which ports it has.</summary>
    public void Constrain(RuleConstraints constraints, PacketField field)
    {
        if (!IsWhole || IsInverted) constraints.Restrict(field, Low, High, IsInverted);
    }

    /// <summary>Reads the range of an option; <see cref="Any"/> where it was not given.</summary>
    public static PortRange Read(ExtensionOptions options, string option, byte protocol)
    {
        if (options.Find(option) is not { } use) return Any;
        var (low, high) = options.PortRange(use.Word, protocol);
        return new(low, high, use.IsInverted);
    }

    /// <summary>Reads the range that a packet's port must be in; what is outside all ports is nothing, and reported.</summary>
    public static PortRange ReadForPacket(ExtensionOptions options, string option, byte protocol)
    {
        var range = Read(options, option, protocol);
        if (range is { IsInverted: true, IsWhole: true })
            options.Error(options.Find(option)!.Word, $"{options.Name}: no port is outside 0:65535", "leave the option out");
        return range;
    }

    /// <summary>The same ports, a range that begins at 0 turned round: <c>! --dport :1023</c> becomes <c>--dport 1024:65535</c>. So does
    /// iptables where it says a rule in nftables' own words (<c>expr_gen_range_cmp16</c>); its older variant leaves the range as it is.</summary>
    public PortRange Turned => IsInverted && Low == 0 && High is > 0 and < ushort.MaxValue
        ? new((ushort)(High + 1), ushort.MaxValue, false) : this;

    /// <summary>Writes it behind its option, unless it is <see cref="IsWhole"/>.</summary>
    public void Write(RuleWriter writer, string option)
    {
        if (!IsWhole) WriteAlways(writer, option);
    }

    /// <summary>Writes it behind its option, whichever it is.</summary>
    public void WriteAlways(RuleWriter writer, string option)
    {
        writer.Option(option, IsInverted);
        writer.Word(Low == High ? Low.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{Low}:{High}"));
    }

    /// <summary>Writes it as <c>iptables -L -n</c> does: <c> dpt:21</c>, <c> spts:!1:1023</c>.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name"><c>spt</c> or <c>dpt</c>.</param>
    public void List(ListingWriter writer, string name)
    {
        if (IsWhole && !IsInverted) return;
        var inverted = IsInverted ? "!" : "";
        writer.Words(Low == High
            ? string.Create(CultureInfo.InvariantCulture, $"{name}:{inverted}{Low}")
            : string.Create(CultureInfo.InvariantCulture, $"{name}s:{inverted}{Low}:{High}"));
    }
}
