using System.Collections.Immutable;

namespace FwCluster.Rules.Text;

/// <summary>
/// The options of one <c>-m</c> or <c>-j</c> as they were used, already checked against their <see cref="OptionSpec"/>s, and readers for
/// their values (in the partial files). A reader that does not like a value reports it and returns a default: the extension goes on, so that
/// every mistake of a rule is told at once. What it builds after an error is thrown away.
/// </summary>
/// <param name="name">The extension's name, for messages.</param>
/// <param name="uses">The options in order.</param>
/// <param name="word">The word after <c>-m</c> or <c>-j</c>.</param>
/// <param name="rule">The rule.</param>
/// <param name="errors">Where mistakes go.</param>
public sealed partial class ExtensionOptions(
    string name, ImmutableArray<OptionUse> uses, Token word, RuleScope rule, IErrorSink errors)
{
    /// <summary>The extension's name.</summary>
    public string Name { get; } = name;

    /// <summary>All uses, in the order written.</summary>
    public ImmutableArray<OptionUse> Uses { get; } = uses;

    /// <summary>The word after <c>-m</c> or <c>-j</c>: where errors about the whole extension point.</summary>
    public Token Word { get; } = word;

    /// <summary>The rule they stand in.</summary>
    public RuleScope Rule { get; } = rule;

    /// <summary>The (first) use of an option, or null.</summary>
    public OptionUse? Find(string option)
    {
        foreach (var use in Uses)
            if (use.Spec.Name == option) return use;
        return null;
    }

    /// <summary>True where the option was given.</summary>
    public bool Has(string option) => Find(option) is not null;

    /// <summary>The parts of a comma-separated list, each a word with its own place; an empty part is one too.</summary>
    public static IEnumerable<Token> List(Token word)
    {
        var start = 0;
        foreach (var part in word.Text.Split(','))
        {
            yield return word.Part(start, part.Length);
            start += part.Length + 1;
        }
    }

    /// <summary>Reports a mistake at a word.</summary>
    /// <param name="at">The word.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="hint">What would be right.</param>
    public void Error(Token at, string message, string? hint = null)
    {
        Mistakes++;
        errors.Error(at, message, hint);
    }

    /// <summary>Mistakes that were reported here so far, so that one is not told a second time in other words.</summary>
    public int Mistakes { get; private set; }
}

/// <summary>Where mistakes go.</summary>
public interface IErrorSink
{
    /// <summary>Reports a mistake at a word.</summary>
    /// <param name="at">The word.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="hint">What would be right, or null.</param>
    void Error(Token at, string message, string? hint = null);
}
