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
        for (var i = 0; i < _uses.Count; i++)
        {
            var (use, spec) = (_uses[i], _uses[i].Spec);
            if (spec.Unsupported is { } reason) errors.Error(use.Option, $"{name}: {use.Option} is not supported", reason);
            if (!spec.Repeatable && IsGiven(spec.Name, i)) errors.Error(use.Option, $"{name}: {use.Option} stands twice", "once is possible");
            foreach (var other in spec.Excludes)
                if (IsGiven(other, _uses.Count)) errors.Error(use.Option, $"{name}: {use.Option} and --{other} exclude each other", "leave one of them out");
            foreach (var other in spec.Requires)
                if (!IsGiven(other, _uses.Count)) errors.Error(use.Option, $"{name}: {use.Option} needs --{other} too");
        }
        foreach (var option in Extension.Options)
        {
            if (option.Required && !IsGiven(option.Name, _uses.Count))
                errors.Error(Word, $"{name}: --{option.Name} is missing", $"write {(Extension is TargetExtension ? "-j" : "-m")} {name} --{option.Name} ...");
        }
    }

    /// <summary>True where an option stands among the first so many.</summary>
    private bool IsGiven(string option, int among)
    {
        for (var i = 0; i < among; i++)
            if (_uses[i].Spec.Name == option) return true;
        return false;
    }
}
