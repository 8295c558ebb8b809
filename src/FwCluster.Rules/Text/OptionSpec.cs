using System.Collections.Immutable;

namespace FwCluster.Rules.Text;

/// <summary>A long option of an extension, as its <c>struct xt_option_entry</c> declares it. The reader checks all of this; the
/// extension reads values only.</summary>
/// <param name="Name">The name without <c>--</c>; the one that <see cref="ExtensionOptions.Find"/> takes.</param>
/// <param name="Arguments">Words that follow: 0, 1 or 2.</param>
public sealed record OptionSpec(string Name, int Arguments = 1)
{
    /// <summary>Other spellings: <c>source-port</c> for <c>sport</c>.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary><c>!</c> may stand before it.</summary>
    public bool Invertible { get; init; }

    /// <summary>May be given more than once (<c>XTOPT_MULTI</c>).</summary>
    public bool Repeatable { get; init; }

    /// <summary>Must be given (<c>XTOPT_MAND</c>).</summary>
    public bool Required { get; init; }

    /// <summary>Options that it cannot be used together with (names, not aliases).</summary>
    public ImmutableArray<string> Excludes { get; init; } = [];

    /// <summary>Options that must be there too (names, not aliases).</summary>
    public ImmutableArray<string> Requires { get; init; } = [];

    /// <summary>Its one argument may be left out (<c>-F [chain]</c>).</summary>
    public bool IsArgumentOptional { get; init; }

    /// <summary>Its value is a word of its own: <c>-p tcp</c>, and neither <c>-ptcp</c> nor <c>--protocol=tcp</c>, which iptables does
    /// not read.</summary>
    public bool IsValueSeparate { get; init; }

    /// <summary>Set for an option that iptables knows and this product does not: the reader refuses it with these words.</summary>
    public string? Unsupported { get; init; }

    /// <summary>True where this is its name, or one of its other spellings.</summary>
    internal bool IsNamed(ReadOnlySpan<char> name)
    {
        if (name.SequenceEqual(Name)) return true;
        foreach (var alias in Aliases)
            if (name.SequenceEqual(alias)) return true;
        return false;
    }

    /// <summary>True where its name, or one of its other spellings, begins so.</summary>
    internal bool Begins(string beginning)
    {
        if (Name.StartsWith(beginning, StringComparison.Ordinal)) return true;
        foreach (var alias in Aliases)
            if (alias.StartsWith(beginning, StringComparison.Ordinal)) return true;
        return false;
    }
}

/// <summary>An option as it was used in a rule.</summary>
/// <param name="Spec">Which option.</param>
/// <param name="Option">The word <c>--name</c>.</param>
/// <param name="IsInverted">A <c>!</c> stood before it.</param>
/// <param name="Words">Its arguments, as many as <see cref="OptionSpec.Arguments"/>.</param>
public sealed record OptionUse(OptionSpec Spec, Token Option, bool IsInverted, ImmutableArray<Token> Words)
{
    /// <summary>The first argument, or the option itself where it takes none.</summary>
    public Token Word => Words.Length > 0 ? Words[0] : Option;
}
