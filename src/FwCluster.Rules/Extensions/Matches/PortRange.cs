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
