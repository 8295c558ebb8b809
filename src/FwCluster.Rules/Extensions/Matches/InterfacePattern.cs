using System.Text;
using FwCluster.Rules.Evaluation;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>An interface as <c>-i</c> and <c>-o</c> name it: a whole name, or with <c>+</c> at its end every name that begins so.</summary>
/// <param name="Name">The name's bytes.</param>
/// <param name="Mask">Which bytes are compared: the name with its end, or what stands before <c>+</c>.</param>
/// <param name="IsInverted">True for <c>!</c>.</param>
/// <param name="IsGiven">False where the rule says nothing of the interface.</param>
public readonly record struct InterfacePattern(InterfaceName Name, UInt128 Mask, bool IsInverted, bool IsGiven)
{
    /// <summary>Does the name fall under it (<c>ifname_compare_aligned</c>)?</summary>
    public bool Matches(InterfaceName name) => !IsGiven || (((name.Value ^ Name.Value) & Mask) == UInt128.Zero) != IsInverted;

    /// <summary>Tells a classifier which names fall under it.</summary>
    public void Constrain(RuleConstraints constraints, PacketField field)
    {
        if (IsGiven) constraints.RestrictInterface(field, Name, Mask, IsInverted);
    }

    /// <summary>Reads a name; reports what cannot be one.</summary>
    public static InterfacePattern Read(IErrorSink errors, Token word, bool isInverted)
    {
        var text = word.Text;
        if (text.Length == 0)
        {
            errors.Error(word, "the interface has no name", "leave the option out if any interface is meant");
            return default;
        }
        var length = Encoding.UTF8.GetByteCount(text);
        if (length > InterfaceName.MaxLength)
        {
            errors.Error(word, $"the interface name \"{word}\" has {length} bytes, and {InterfaceName.MaxLength} are possible");
            return default;
        }
        var isPrefix = text.EndsWith('+');
        var name = InterfaceName.From(isPrefix ? text[..^1] : text);
        var compared = isPrefix ? length - 1 : length + 1;
        return new(name, compared == 16 ? UInt128.MaxValue : (UInt128.One << (8 * compared)) - 1, isInverted, true);
    }

    /// <summary>Writes it behind its option; <c>-i +</c> is every interface and not written.</summary>
    public void Write(RuleWriter writer, string option)
    {
        if (IsAny) return;
        writer.Option(option, IsInverted).Word(Text);
    }

    /// <summary>As <c>iptables -L -n</c> prints it: <c>eth+</c>, <c>!lo</c>, <c>*</c>.</summary>
    public string Listing => IsAny ? "*" : IsInverted ? "!" + Text : Text;

    private bool IsAny => !IsGiven || (Mask == UInt128.Zero && !IsInverted);

    private string Text
    {
        get
        {
            var isPrefix = Mask == UInt128.Zero || ((Name.Value & (Mask ^ (Mask >> 8))) != UInt128.Zero);
            return isPrefix ? Name + "+" : Name.ToString();
        }
    }
}
