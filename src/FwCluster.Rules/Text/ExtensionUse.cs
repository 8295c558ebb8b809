using System.Collections.Immutable;

namespace FwCluster.Rules.Text;

/// <summary>An extension as a rule uses it, while the rule is read.</summary>
/// <param name="extension">Which.</param>
/// <param name="word">The word after <c>-m</c> or <c>-j</c>, or the option that called for it.</param>
internal sealed class ExtensionUse(Extension extension, Token word)
{
    private readonly List<OptionUse> _uses = [];

    /// <summary>Which.</summary>
    public Extension Extension { get; } = extension;

    /// <summary>Where it was named.</summary>
    public Token Word { get; } = word;

    /// <summary>Notes an option.</summary>
    public void Add(OptionUse use) => _uses.Add(use);

    /// <summary>Its options, for the extension to read.</summary>
    public ExtensionOptions Options(RuleScope rule, IErrorSink errors) => new(Extension.Name, [.. _uses], Word, rule, errors);

    /// <summary>Checks what the options' specifications say (<c>xtables_option_parse</c>, <c>xtables_option_fcheck</c>).</summary>
    public void Check(IErrorSink errors)
    {
        var name = Extension.Name;
        var given = _uses.Select(u => u.Spec.Name).ToHashSet();
        var seen = new HashSet<string>();
        foreach (var use in _uses)
        {
            if (use.Spec.Unsupported is { } reason) errors.Error(use.Option, $"{name}: {use.Option} is not supported", reason);
            if (!seen.Add(use.Spec.Name) && !use.Spec.Repeatable) errors.Error(use.Option, $"{name}: {use.Option} stands twice", "once is possible");
            foreach (var other in use.Spec.Excludes.Where(given.Contains))
                errors.Error(use.Option, $"{name}: {use.Option} and --{other} exclude each other", "leave one of them out");
            foreach (var other in use.Spec.Requires.Where(o => !given.Contains(o)))
                errors.Error(use.Option, $"{name}: {use.Option} needs --{other} too");
        }
        foreach (var missing in Extension.Options.Where(o => o.Required && !given.Contains(o.Name)))
            errors.Error(Word, $"{name}: --{missing.Name} is missing", $"write {(Extension is TargetExtension ? "-j" : "-m")} {name} --{missing.Name} ...");
    }
}
