using System.Globalization;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>Numbers from one to another, both included. The wrong way round it holds none, as in the kernel.</summary>
/// <param name="Low">First.</param>
/// <param name="High">Last.</param>
public readonly record struct NumberRange(uint Low, uint High)
{
    /// <summary>Is the number in it?</summary>
    public bool Contains(uint number) => number >= Low && number <= High;

    /// <summary>Reads <c>low:high</c>, <c>low:</c>, <c>:high</c> or one number.</summary>
    public static NumberRange Read(ExtensionOptions options, Token word, uint max)
    {
        var (low, high) = options.NumberRange(word, max);
        return new((uint)low, (uint)high);
    }

    /// <summary>Writes it behind its option: one number where both ends are the same.</summary>
    public void Write(RuleWriter writer, string option, bool isInverted)
        => writer.Option(option, isInverted).Word(ToString());

    /// <summary>One number where both ends are the same, else <c>low:high</c>.</summary>
    public override string ToString()
        => Low == High ? Low.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{Low}:{High}");
}
