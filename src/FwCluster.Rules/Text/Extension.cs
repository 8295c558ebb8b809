using System.Collections.Immutable;
using FwCluster.Rules.Model;

namespace FwCluster.Rules.Text;

/// <summary>How an extension (<c>-m NAME</c> or <c>-j NAME</c>) is read: the language side. One instance serves all rules.</summary>
public abstract class Extension
{
    /// <summary>The name after <c>-m</c> or <c>-j</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Other names for it.</summary>
    public virtual ImmutableArray<string> Aliases => [];

    /// <summary>Its options.</summary>
    public virtual ImmutableArray<OptionSpec> Options => [];

    /// <summary>Where it may be used.</summary>
    public virtual ExtensionScope Scope => ExtensionScope.Anywhere;
}

/// <summary>A match's language side.</summary>
public abstract class MatchExtension : Extension
{
    /// <summary>Makes the match from its options. Reports what is wrong with them by <see cref="ExtensionOptions.Error"/>; what it returns after
    /// that is thrown away (null is fine then).</summary>
    public abstract Match? Build(ExtensionOptions options);
}

/// <summary>A target's language side.</summary>
public abstract class TargetExtension : Extension
{
    /// <summary>Makes the target from its options; see <see cref="MatchExtension.Build"/>.</summary>
    public abstract Target? Build(ExtensionOptions options);
}
